#include "router/front/outq.h"

#include <assert.h>
#include <string.h>

#include "common/mem.h"

struct outq_piece {
    struct outq_piece *next;
    const uint8_t *data; /* What is left of it. */
    size_t size;
    struct bytes owned;
    uint8_t inside[];
};

static_assert(sizeof(struct outq_piece) <= OUTQ_PIECE_COST, "a piece weighs what it costs");

static void append(struct outq *queue, struct outq_piece *piece)
{
    *(queue->last == NULL ? &queue->first : &queue->last->next) = piece;
    queue->last = piece;
    queue->bytes += piece->size + OUTQ_PIECE_COST;
}

static void drop_first(struct outq *queue)
{
    struct outq_piece *piece = queue->first;

    assert(queue->bytes >= piece->size + OUTQ_PIECE_COST);
    queue->bytes -= piece->size + OUTQ_PIECE_COST;
    queue->first = piece->next;
    if (queue->first == NULL) {
        queue->last = NULL;
    }
    bytes_close(&piece->owned);
    mem_free(piece);
}

void outq_close(struct outq *queue)
{
    while (queue->first != NULL) {
        drop_first(queue);
    }
    assert(queue->bytes == 0);
}

void outq_copy(struct outq *queue, struct slice head, struct slice data)
{
    struct outq_piece *piece = mem_alloc(sizeof *piece + head.size + data.size);

    assert(head.size + data.size > 0);
    if (head.size > 0) {
        memcpy(piece->inside, head.data, head.size);
    }
    if (data.size > 0) {
        memcpy(piece->inside + head.size, data.data, data.size);
    }
    piece->data = piece->inside;
    piece->size = head.size + data.size;
    append(queue, piece);
}

void outq_borrow(struct outq *queue, struct slice data)
{
    struct outq_piece *piece = mem_alloc(sizeof *piece);

    assert(data.size > 0);
    piece->data = data.data;
    piece->size = data.size;
    append(queue, piece);
}

void outq_take(struct outq *queue, struct bytes *data, size_t from)
{
    assert(from <= data->size);
    outq_borrow(queue, slice_of(data->data + from, data->size - from));
    queue->last->owned = *data;
    *data = (struct bytes){0};
}

size_t outq_parts(const struct outq *queue, struct iovec *parts, size_t max)
{
    size_t count = 0;

    for (const struct outq_piece *piece = queue->first; piece != NULL && count < max;
         piece = piece->next) {
        parts[count++] = (struct iovec){(void *)(uintptr_t)piece->data, piece->size};
    }
    return count;
}

void outq_sent(struct outq *queue, size_t size)
{
    while (queue->first != NULL && size >= queue->first->size) {
        size -= queue->first->size;
        drop_first(queue);
    }
    if (size > 0) {
        assert(queue->first != NULL);
        queue->first->data += size;
        queue->first->size -= size;
        queue->bytes -= size;
    }
}
