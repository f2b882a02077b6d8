#include "router/op/quota.h"

#include <assert.h>

enum pull quota_check(struct exec *exec, uint64_t count, size_t item_size)
{
    size_t limit = exec->arena.limit_bytes;
    size_t used = exec_memory(exec);
    size_t left = limit > used ? limit - used : 0;

    assert(item_size > 0);
    if (count < SIZE_MAX / item_size && count * item_size > exec->held_bytes) {
        exec->held_bytes = count * item_size;
    }
    if (limit != 0 && count > left / item_size) {
        return op_fail(exec, E_LIMIT,
                       "the query needs more memory than query_memory_max, %zu bytes", limit);
    }
    return PULL_BATCH;
}
