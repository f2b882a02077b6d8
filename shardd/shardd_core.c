#include "shardd/shardd_core.h"

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

struct host_core shardd_core(struct node *node)
{
    return (struct host_core){node, on_message, on_turn, deadline, is_ready, NULL, leave};
}
