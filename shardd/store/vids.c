#include "shardd/store/vids.h"

#include <assert.h>
#include <string.h>

#include "shardd/store/pack.h"

struct vids vids_make(struct arena *arena, const struct vid *list, size_t count)
{
    int64_t *nums;

    for (size_t i = 0; i < count; i++) {
        if (list[i].text.data != NULL) {
            return (struct vids){.list = list};
        }
    }
    nums = arena_alloc(arena, (count + 1) * sizeof *nums);
    for (size_t i = 0; i < count; i++) {
        nums[i] = list[i].num;
    }
    return (struct vids){.nums = nums};
}

static size_t shared_size(struct slice a, struct slice b)
{
    size_t n = a.size < b.size ? a.size : b.size;
    size_t i = 0;

    while (i < n && a.data[i] == b.data[i]) {
        i++;
    }
    return i;
}

void vids_encode(struct bytes *out, const struct vids *vids, size_t count)
{
    struct slice before = {0};

    if (vids->nums != NULL) {
        pack_encode(out, vids->nums, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct vid rest = vids->list[i];
        size_t shared = 0;

        if (rest.text.data != NULL) {
            shared = shared_size(before, rest.text);
            before = rest.text;
            rest = vid_text(slice_of(rest.text.data + shared, rest.text.size - shared));
        }
        bytes_varint(out, shared);
        vid_encode(out, &rest);
    }
}

/* One id: `before` is the text before it and becomes its own. */
static struct vid decode_one(struct reader *reader, struct arena *arena, struct slice *before)
{
    uint64_t shared = reader_varint(reader);
    struct vid rest = vid_decode(reader);
    uint8_t *text;

    if (rest.text.data == NULL) {
        if (shared != 0) {
            reader_spoil(reader);
        }
        return rest;
    }
    if (shared > before->size || shared + rest.text.size > VID_TEXT_MAX) {
        reader_spoil(reader);
        return vid_num(0);
    }
    text = arena_alloc(arena, shared + rest.text.size + 1);
    if (shared > 0) {
        memcpy(text, before->data, shared);
    }
    memcpy(text + shared, rest.text.data, rest.text.size);
    *before = slice_of(text, shared + rest.text.size);
    return vid_text(*before);
}

struct vids vids_decode(struct reader *reader, struct arena *arena, bool is_int, size_t count)
{
    struct slice before = {0};
    struct vid *list;

    if (is_int) {
        int64_t *nums = arena_alloc(arena, (count + 1) * sizeof *nums);
        pack_decode(reader, nums, count);
        return (struct vids){.nums = nums};
    }
    list = arena_alloc(arena, (count + 1) * sizeof *list);
    for (size_t i = 0; i < count; i++) {
        list[i] = decode_one(reader, arena, &before);
    }
    return (struct vids){.list = list};
}

void vids_skip(struct reader *reader, bool is_int, size_t count)
{
    if (is_int) {
        pack_skip(reader, count);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        (void)reader_varint(reader);
        (void)vid_decode(reader);
    }
}
