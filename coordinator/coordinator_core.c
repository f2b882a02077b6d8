#include "coordinator/coordinator_core.h"

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

struct host_core coordinator_core(struct coord *coord)
{
    return (struct host_core){coord, on_message, on_turn, deadline, is_ready, NULL, NULL};
}
