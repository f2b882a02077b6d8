/*
 * fuzz_fetch.c -- shards that answer READ with any bytes: a fetch gives rows or an error, never
 * more. The first byte chooses what is asked for; the rest is what each shard answers.
 */
#include "router/remote/fetch.h"

#include "tests/lib/fake_shards.h"

#include <assert.h>

enum { INPUTS = 8, ROWS = 16, PULLS_MAX = 10000 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct read_request spec_of(uint8_t choice, const struct read_input *inputs)
{
    static const enum read_source sources[] = {READ_IDS, READ_VERTICES, READ_EDGES, READ_EDGE_IDS};
    struct read_request spec = {.source = sources[choice % 4],
                                .emit = (enum read_emit)(READ_ROWS + choice / 4 % 5),
                                .limit = choice / 20 % 3};

    if (spec.source == READ_IDS || spec.source == READ_EDGE_IDS) {
        spec.input_count = INPUTS;
        spec.inputs = inputs;
    }
    if (spec.emit == READ_MERGED) {
        spec.hop.direction = DIRECTION_OUT;
    }
    return spec;
}

static void answer_all(struct fake *fake, size_t *at, struct slice body)
{
    const struct message *sent;

    while ((sent = fake_sent(fake, at, MESSAGE_READ)) != NULL && *at < 64) {
        struct message copy = *sent;
        fake_answer(fake, &copy, MESSAGE_READ_REPLY, body);
    }
}

static void drain(struct fake *fake, struct fetch *fetch, struct slice body)
{
    struct read_row rows[ROWS];
    size_t at = 0;
    uint32_t count;

    for (int i = 0; i < PULLS_MAX; i++) {
        answer_all(fake, &at, body);
        enum pull pull = fetch_next(fetch, &fake->exec, rows, ROWS, &count);
        assert(count <= ROWS && (pull == PULL_BATCH) == (count > 0));
        if (pull == PULL_DONE || pull == PULL_ERROR) {
            break;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct read_input inputs[INPUTS];
    struct fake fake;

    if (size == 0) {
        return 0;
    }
    for (int i = 0; i < INPUTS; i++) {
        inputs[i] = (struct read_input){.id = vid_num(i), .bulk = 1};
    }
    fake_open(&fake, 2, PARTITION_HASH);
    struct read_request spec = spec_of(data[0], inputs);
    struct fetch *fetch = fetch_start(&fake.exec, NULL, &spec);
    drain(&fake, fetch, slice_of(data + 1, size - 1));
    fetch_close(&fetch, &fake.exec);
    fake_close(&fake);
    return 0;
}
