/*
 * results.h -- what a request gives, on its way to response frames.
 *
 *   values --results_add--> batch_size of them --> an encoded frame (206) ...
 *          --results_finish--> the last (200, 204)
 *
 * Nothing is sent from here: frames are held until the transaction has committed, and dropped when
 * it is to be run again. Bytecode gives traversers with their bulk, text gives plain values, as
 * often as their bulk.
 *
 * Pure. Ownership: values are in the query's arena until results_finish; frames are on the heap.
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
    struct value *values; /* Of the frame being filled. */
    uint32_t count, room;
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
/* The last frame: 200, or 204 without results. */
int results_finish(struct results *results, struct arena *arena, struct error *err);

#endif
