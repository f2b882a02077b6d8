#include "router/op/idset.h"

#include "common/mem.h"

#include <assert.h>

void idset_close(struct idset *set)
{
    map_index_close(&set->index);
    mem_free(set->ids);
    *set = (struct idset){0};
}

void idset_clear(struct idset *set)
{
    map_index_clear(&set->index);
    set->count = 0;
}

uint32_t idset_find(const struct idset *set, const struct vid *id)
{
    struct map_probe probe = map_index_probe(&set->index, vid_hash(id));
    uint32_t place;

    while ((place = map_index_next(&set->index, &probe)) != MAP_NONE) {
        assert(place < set->count);
        if (vid_equal(&set->ids[place], id)) {
            break;
        }
    }
    return place;
}

uint32_t idset_add(struct idset *set, const struct vid *id)
{
    uint32_t place = idset_find(set, id);

    if (place != MAP_NONE) {
        return place;
    }
    if (set->count == set->room) {
        set->room = set->room == 0 ? 64 : 2 * set->room;
        set->ids = mem_resize(set->ids, set->room * sizeof *set->ids);
    }
    set->ids[set->count] = *id;
    map_index_add(&set->index, vid_hash(id), set->count, set->count);
    return set->count++;
}
