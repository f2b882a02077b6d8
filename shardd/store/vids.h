/*
 * vids.h -- a column of ids: all integers (the fast case), or any.
 *
 *   all integers      pack.h
 *   else, each        varint bytes shared with the text before, vid_encode of the rest
 *
 * Pure. Decoded columns are in the arena; texts too, because they are stored without what they
 * share.
 */
#ifndef SHARDD_STORE_VIDS_H
#define SHARDD_STORE_VIDS_H

#include "common/arena.h"
#include "common/vid.h"

struct vids {
    const int64_t *nums;    /* All are integers; else null. */
    const struct vid *list; /* Else. */
};

static inline struct vid vids_at(const struct vids *vids, size_t i)
{
    return vids->nums != NULL ? (struct vid){.num = vids->nums[i]} : vids->list[i];
}

/* The column of ids of any kind, in the arena (list is kept). */
struct vids vids_make(struct arena *arena, const struct vid *list, size_t count);
/* Which of the two forms is told by the caller: is_int is vids->nums != NULL. */
void vids_encode(struct bytes *out, const struct vids *vids, size_t count);
struct vids vids_decode(struct reader *reader, struct arena *arena, bool is_int, size_t count);
void vids_skip(struct reader *reader, bool is_int, size_t count);

#endif
