/*
 * outq.h -- bytes that wait to go out on one connection, in pieces, in order.
 *
 * Pure. Ownership: owns its pieces; close it. An all-zero queue is an empty one.
 * Units: bytes, with OUTQ_PIECE_COST for each piece, so that many small ones weigh what they cost.
 */
#ifndef ROUTER_FRONT_OUTQ_H
#define ROUTER_FRONT_OUTQ_H

#include "common/bytes.h"

#include <sys/uio.h>

enum { OUTQ_PIECE_COST = 96 };

struct outq_piece;

struct outq {
    struct outq_piece *first, *last;
    size_t bytes;
};

void outq_close(struct outq *queue);
/* Copies both, one behind the other. */
void outq_copy(struct outq *queue, struct slice head, struct slice data);
/* The bytes stay with a buffer that is taken later, by outq_take. */
void outq_borrow(struct outq *queue, struct slice data);
/* Takes the buffer; its bytes before `from` are not sent by this piece. */
void outq_take(struct outq *queue, struct bytes *data, size_t from);
/* The first bytes that wait, as at most max parts. Returns their number. */
size_t outq_parts(const struct outq *queue, struct iovec *parts, size_t max);
/* So many bytes have gone out. */
void outq_sent(struct outq *queue, size_t size);

#endif
