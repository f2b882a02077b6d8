#include "coordinator/coord_map.h"

#include "common/control.h"

void coord_map_heard(struct coord *coord, peer_id router)
{
    map_put(&coord->routers, router, coord->now_ms);
}

void coord_map_get(struct coord *coord, const struct message *message)
{
    uint64_t version;
    struct error err;

    if (control_map_get_decode(message->body, &version, &err) != E_OK) {
        outbox_refuse(coord->out, message, &err);
        return;
    }
    if (message->peer >> 32 == PEER_ROUTER) {
        coord_map_heard(coord, message->peer);
    }
    outbox_reply(coord->out, message, MESSAGE_MAP,
                 version < coord->state.version ? coord_map(coord) : (struct slice){0});
}

void coord_map_tick(struct coord *coord)
{
    if (coord->routers_version == coord->state.version) {
        return;
    }
    coord->routers_version = coord->state.version;
    for (size_t i = coord->routers.count; i > 0; i--) {
        peer_id router = coord->routers.entries[i - 1].key;
        if (coord->now_ms >= coord->routers.entries[i - 1].value + COORD_MAP_KEPT_MS) {
            map_remove(&coord->routers, router);
        } else {
            outbox_send(coord->out, router, MESSAGE_MAP, coord_map(coord));
        }
    }
}
