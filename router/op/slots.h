/*
 * slots.h -- state that an operator keeps for each tag: an array that grows with the tags of a run.
 *
 * Ownership: on the heap; slots_close. An all-zero struct is an empty one.
 */
#ifndef ROUTER_OP_SLOTS_H
#define ROUTER_OP_SLOTS_H

#include <stddef.h>
#include <stdint.h>

struct slots {
    uint8_t *items;
    size_t room; /* Items allocated, all of them zeroed at first. */
};

/* The item of a tag; item_size is the same in every call. Valid until the next call. */
void *slots_at(struct slots *slots, uint32_t tag, size_t item_size);
/* All zero again. */
void slots_clear(struct slots *slots, size_t item_size);
void slots_close(struct slots *slots);

#endif
