#include "router/run/bulk.h"

/* A batch of a bulk load, as a client may send it. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct exec exec = {0};
    struct bulk *bulk = NULL;
    struct error err;

    arena_init(&exec.arena, 0);
    if (bulk_open(&exec, slice_of(data, size), &bulk, &err) == E_OK) {
        (void)bulk_count(bulk);
        bulk_close(&bulk, &exec);
    }
    arena_close(&exec.stream);
    arena_close(&exec.arena);
    return 0;
}
