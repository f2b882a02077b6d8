#include "shardd/shardd_core.h"

#include "shardd/nodemetrics.h"

static void on_message(void *core, uint64_t now_ms, const struct message *message,
                       struct outbox *out)
{
    node_message(core, now_ms, message, out);
}

static int on_turn(void *core, uint64_t now_ms, struct outbox *out, struct error *err)
{
    return node_turn(core, now_ms, out, err);
}

static uint64_t deadline(const void *core)
{
    return node_deadline(core);
}

static bool is_ready(const void *core)
{
    return node_is_ready(core);
}

static bool leave(void *core)
{
    return node_leave(core);
}

static bool readiness(const void *core, struct bytes *out)
{
    return nodemetrics_readiness(core, out);
}

static void metrics(void *core, struct bytes *out)
{
    nodemetrics_write(core, out);
}

static void dump(const void *core, struct bytes *out)
{
    node_dump(core, out);
}

struct host_core shardd_core(struct node *node)
{
    return (struct host_core){.core = node,
                              .message = on_message,
                              .turn = on_turn,
                              .deadline = deadline,
                              .is_ready = is_ready,
                              .leave = leave,
                              .readiness = readiness,
                              .metrics = metrics,
                              .dump = dump};
}
