#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/mem.h"
#include "router/cli/loader.h"

/* The first byte chooses: CSV, GraphML, GraphSON lines; bad rows stop or are skipped; vertices or
 * edges. The rest is the file. */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int (*const loads[])(struct loader *, const char *,
                                struct error *) = {csv_load, graphml_load, graphson_load};
    struct loader *loader;
    struct error err;
    char path[64];
    FILE *file;
    bool is_edges = false;

    if (size == 0) {
        return 0;
    }
    snprintf(path, sizeof(path), "/tmp/fuzz_files.%ld", (long)getpid());
    file = fopen(path, "wb");
    if (file == NULL || fwrite(data + 1, 1, size - 1, file) != size - 1 || fclose(file) != 0) {
        abort();
    }
    loader = mem_alloc(sizeof(*loader));
    loader->state_path = "";
    loader->is_quiet = true;
    loader->skip_bad = data[0] & 4;
    loader->bad = LOADER_FAULTS_SHOWN; /* Tells none. */
    /* A CSV file tells itself what it holds. */
    loader->is_edges = data[0] & 8;
    if ((data[0] & 3) == 0 && csv_kind(path, &is_edges, &err) == E_OK) {
        loader->is_edges = is_edges;
    }
    if (loader_open(loader, &err) == E_OK) {
        (void)loads[(data[0] & 3) % 3](loader, path, &err);
    }
    loader_close(loader);
    mem_free(loader);
    unlink(path);
    return 0;
}
