#include "router/op/slots.h"

#include "common/mem.h"

#include <assert.h>
#include <string.h>

enum { FIRST_ROOM = 16 };

void *slots_at(struct slots *slots, uint32_t tag, size_t item_size)
{
    assert(item_size > 0);
    if (tag >= slots->room) {
        size_t room = slots->room == 0 ? FIRST_ROOM : slots->room;
        while (room <= tag) {
            room *= 2;
        }
        slots->items = mem_resize(slots->items, room * item_size);
        memset(slots->items + slots->room * item_size, 0, (room - slots->room) * item_size);
        slots->room = room;
    }
    return slots->items + (size_t)tag * item_size;
}

void slots_clear(struct slots *slots, size_t item_size)
{
    if (slots->room > 0) {
        memset(slots->items, 0, slots->room * item_size);
    }
}

void slots_close(struct slots *slots)
{
    mem_free(slots->items);
    *slots = (struct slots){0};
}
