#include "common/served.h"

#include <assert.h>
#include <stdio.h>

#include "common/hash.h"

static struct served_slot *slot_of(struct served_way *way, const struct message *message)
{
    return &way->slots[hash_mix(message->peer ^ hash_mix(message->req_id)) % SERVED_SLOTS];
}

static bool is_same(const struct served_slot *slot, const struct message *message)
{
    return slot->peer == message->peer && slot->req_id == message->req_id;
}

/* A reply of many frames ends with the last one. */
static bool is_end(const struct message *message)
{
    return message->type != MESSAGE_QUERY_REPLY || (message->flags & MESSAGE_LAST) != 0;
}

/* True: it answers a request that came, or went, this way. */
static bool end(struct served_way *way, uint64_t now_us, const struct message *message)
{
    struct served_slot *slot = slot_of(way, message);

    if (slot->peer == 0 || !is_same(slot, message)) {
        return false;
    }
    if (is_end(message)) {
        uint64_t us = now_us > slot->since_us ? now_us - slot->since_us : 0;
        metrics_observe(&way->verbs[slot->verb], us);
        slot->peer = 0;
    }
    return true;
}

static void begin(struct served_way *way, uint64_t now_us, const struct message *message)
{
    struct served_slot *slot = slot_of(way, message);

    if (message->peer == 0 || message->req_id == 0 ||
        (is_same(slot, message) && slot->verb == message->type)) {
        return;
    }
    *slot = (struct served_slot){message->peer, message->req_id, now_us, message->type};
}

void served_received(struct served *served, uint64_t now_us, const struct message *message)
{
    assert((unsigned)message->type < SERVED_VERBS);
    if (!end(&served->out, now_us, message)) {
        begin(&served->in, now_us, message);
    }
}

void served_sent(struct served *served, uint64_t now_us, const struct message *message)
{
    assert((unsigned)message->type < SERVED_VERBS);
    if (!end(&served->in, now_us, message)) {
        begin(&served->out, now_us, message);
    }
}

static void encode_way(struct bytes *out, const struct served_way *way, const char *name,
                       const char *help)
{
    char labels[64];

    metrics_family(out, "histogram", name, help);
    for (unsigned i = 0; i < SERVED_VERBS; i++) {
        if (way->verbs[i].count > 0) {
            (void)snprintf(labels, sizeof labels, "verb=\"%s\"",
                           message_name((enum message_type)i));
            metrics_times(out, name, labels, &way->verbs[i]);
        }
    }
}

void served_encode(struct bytes *out, const struct served *served)
{
    encode_way(out, &served->in, "cardea_served_seconds",
               "Requests of other processes, from their arrival to the answer");
    encode_way(out, &served->out, "cardea_asked_seconds",
               "Requests to other processes, from the first sending to the answer");
}
