#include <stdlib.h>

#include "shardd/store/edgeplace.h"
#include "shardd/store/edgerun.h"
#include "shardd/store/vrow.h"

/* The first byte chooses: runs, places, vertex rows. What decodes is written again. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void fuzz_run(struct slice blob, struct arena *arena)
{
    struct bytes out;
    struct edgerun run;

    if (edgerun_decode(blob, EDGERUN_FAR, arena, &run, NULL) != E_OK ||
        edgerun_decode(blob, EDGERUN_ALL, arena, &run, NULL) != E_OK) {
        return;
    }
    bytes_init(&out, 0);
    edgerun_encode(&out, arena, edgerun_halves(&run, arena), run.count);
    bytes_close(&out);
}

static void fuzz_place(struct slice blob, struct arena *arena)
{
    struct edgeplace_run run;
    struct edgeplace *list;
    struct bytes out;

    if (edgeplace_decode(blob, arena, &run, NULL) != E_OK) {
        return;
    }
    list = arena_array(arena, run.count, sizeof *list);
    for (uint32_t i = 0; i < run.count; i++) {
        list[i] = edgeplace_at(&run, i);
    }
    bytes_init(&out, 0);
    edgeplace_encode(&out, arena, list, run.count);
    bytes_close(&out);
}

static void fuzz_vertex(struct slice blob, struct arena *arena)
{
    struct vrow row = {0};
    struct reader reader;
    struct bytes out;

    bytes_init(&out, 0);
    vrow_decode_degrees(blob, arena, &row, &reader);
    if (!reader.is_bad) {
        vrow_encode_degrees(&out, &row);
    }
    vrow_decode_props(blob, arena, &row, &reader);
    if (!reader.is_bad) {
        vrow_encode_props(&out, &row);
    }
    bytes_close(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena = {0};

    if (size == 0) {
        return 0;
    }
    if (data[0] % 3 == 0) {
        fuzz_run(slice_of(data + 1, size - 1), &arena);
    } else if (data[0] % 3 == 1) {
        fuzz_place(slice_of(data + 1, size - 1), &arena);
    } else {
        fuzz_vertex(slice_of(data + 1, size - 1), &arena);
    }
    arena_close(&arena);
    return 0;
}
