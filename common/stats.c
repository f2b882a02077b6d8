#include "common/stats.h"

static const struct {
    const char *kind;
    const char *name;
    const char *help;
} rows[] = {
#define STATS(id, kind, name, help) {#kind, name, help},
#include "common/stats.def"
#undef STATS
};

_Static_assert(sizeof rows / sizeof rows[0] == STATS_COUNT, "one row a counter");

void stats_encode(struct bytes *out, const struct stats *stats)
{
    for (size_t i = 0; i < STATS_COUNT; i++) {
        bytes_format(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", rows[i].name, rows[i].help,
                     rows[i].name, rows[i].kind, rows[i].name,
                     (unsigned long long)stats->values[i]);
    }
}
