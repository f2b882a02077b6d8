/*
 * results.h -- what a request gives, on its way to response frames.
 *
 *   values --results_add--> the frame being filled --batch_size of them--> a frame (206) ...
 *          --results_finish--> the last (200, 204)
 *
 * Nothing is sent from here: frames are held until the transaction has committed, and dropped when
 * it is to be run again. Bytecode gives traversers with their bulk, text gives plain values, as
 * often as their bulk.
 *
 * Values are encoded as they are added, so that none is needed afterwards and no frame is encoded
 * in one piece; those of a SET or BULKSET stay in the query's memory until results_finish.
 *
 * Pure. Ownership: frames are on the heap.
 * Limits: result_max values, bytes_max bytes of frames; E_LIMIT.
 */
#ifndef ROUTER_RUN_RESULTS_H
#define ROUTER_RUN_RESULTS_H

#include "router/wire/response.h"

/* What becomes of the values of a query that ended in a terminal method. */
enum results_form {
    RESULTS_ALL,
    RESULTS_SET,     /* One SET. */
    RESULTS_BULK_SET /* One BULKSET. */
};

struct results_frame {
    int status;
    struct bytes body;
};

struct results {
    const struct request *request;
    uint32_t batch_size;
    uint64_t result_max;
    uint64_t bytes_max;
    enum results_form form;
    bool tokens_only;     /* Elements without their properties. */
    struct value *values; /* Of a SET or BULKSET. */
    uint32_t count, room;
    struct bytes body; /* Of the frame being filled, if is_open. */
    struct response_writer writer;
    bool is_open;
    uint64_t total;
    struct results_frame *frames;
    uint32_t frame_count, frame_room;
    uint64_t frame_bytes;
};

/* Keeps the request. */
void results_init(struct results *results, const struct request *request);
void results_close(struct results *results);
/* Forgets all that was added. */
void results_clear(struct results *results);
int results_add(struct results *results, struct arena *arena, const struct value *value,
                uint64_t bulk, struct error *err);
/* True if values that were added must stay where they are until results_finish. */
bool results_is_holding(const struct results *results);
/* The last frame: 200, or 204 without results. */
int results_finish(struct results *results, struct arena *arena, struct error *err);

#endif
