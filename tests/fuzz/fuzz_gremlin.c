/* Any text is refused with a place, or gives instructions that print to what gives the same. */
#include "common/mem.h"
#include "router/gremlin/gremlin.h"

#include <assert.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int parse(struct arena *arena, struct slice text, struct gremlin_script *script,
                 struct error *err)
{
    struct gremlin_input input = {.text = text};

    return gremlin_parse(arena, &input, script, err);
}

static void check_again(const struct bytecode *bytecode)
{
    struct gremlin_script script;
    struct arena arena = {0};
    struct bytes first;
    struct bytes second;
    struct error err = {0};

    bytes_init(&first, 0);
    bytes_init(&second, 0);
    bytecode_print(&first, bytecode, "g");
    int rc = parse(&arena, bytes_slice(&first), &script, &err);
    /* Only what no text can say is not read again: options of strategies with odd names, ... */
    if (rc == E_OK && script.queries[0].bytecode != NULL) {
        bytecode_print(&second, script.queries[0].bytecode, "g");
        assert(slice_equal(bytes_slice(&first), bytes_slice(&second)));
    }
    (void)bytecode_check(bytecode, &err);
    bytes_close(&first);
    bytes_close(&second);
    arena_close(&arena);
}

static void complete(struct slice text)
{
    struct gremlin_word words[16];
    size_t begun;
    size_t count = gremlin_expected(text, words, 16, &begun);

    assert(begun <= text.size);
    assert(count <= 16);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gremlin_script script;
    struct arena arena = {0};
    struct error err = {0};

    arena_init(&arena, 0);
    int rc = parse(&arena, slice_of(data, size), &script, &err);
    if (rc == E_OK) {
        for (uint32_t i = 0; i < script.count; i++) {
            if (script.queries[i].bytecode != NULL) {
                check_again(script.queries[i].bytecode);
            }
        }
    } else {
        assert(err.text[0] >= '1' && err.text[0] <= '9');
        assert(strchr(err.text, ':') != NULL);
    }
    arena_close(&arena);
    complete(slice_of(data, size));
    return 0;
}
