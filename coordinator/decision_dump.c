#include "coordinator/decision.h"

void decision_dump(const struct decision *d, struct bytes *out)
{
    static const char *const phases[] = {"preparing", "validating", "deciding"};

    bytes_format(out, "term %llu counter %llu open %zu\n", (unsigned long long)d->term,
                 (unsigned long long)d->counter, d->open_count);
    for (size_t i = 0; i < d->running_count; i++) {
        const struct decision_running *running = d->running[i];
        bytes_format(out, "  %llu.%llu %s for %llu/%llu, %u parts\n",
                     (unsigned long long)running->gtid.term,
                     (unsigned long long)running->gtid.counter, phases[running->phase],
                     (unsigned long long)running->txn.sid, (unsigned long long)running->txn.seq,
                     running->txn.part_count);
    }
}
