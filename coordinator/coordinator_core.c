#include "coordinator/coordinator_core.h"

#include "coordinator/coordmetrics.h"

static void on_message(void *core, uint64_t now_ms, const struct message *message,
                       struct outbox *out)
{
    coord_message(core, now_ms, message, out);
}

static int on_turn(void *core, uint64_t now_ms, struct outbox *out, struct error *err)
{
    return coord_turn(core, now_ms, out, err);
}

static uint64_t deadline(const void *core)
{
    return coord_deadline(core);
}

static bool is_ready(const void *core)
{
    return coord_is_ready(core);
}

static bool readiness(const void *core, struct bytes *out)
{
    return coordmetrics_readiness(core, out);
}

static void metrics(void *core, struct bytes *out)
{
    coordmetrics_write(core, out);
}

static void dump(const void *core, struct bytes *out)
{
    coord_dump(core, out);
}

struct host_core coordinator_core(struct coord *coord)
{
    return (struct host_core){.core = coord,
                              .message = on_message,
                              .turn = on_turn,
                              .deadline = deadline,
                              .is_ready = is_ready,
                              .readiness = readiness,
                              .metrics = metrics,
                              .dump = dump};
}
