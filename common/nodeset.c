#include "common/nodeset.h"

#include <assert.h>
#include <string.h>

struct nodeset nodeset_of(uint32_t node)
{
    assert(node != 0);
    return (struct nodeset){.count = 1, .nodes = {node}};
}

bool nodeset_has(const struct nodeset *set, uint32_t node)
{
    assert(set != NULL && set->count <= NODESET_MAX);
    for (uint32_t i = 0; i < set->count; i++) {
        if (set->nodes[i] == node) {
            return true;
        }
    }
    return false;
}

bool nodeset_holds(const struct nodeset *set, const struct nodeset *part)
{
    for (uint32_t i = 0; i < part->count; i++) {
        if (!nodeset_has(set, part->nodes[i])) {
            return false;
        }
    }
    return true;
}

bool nodeset_equal(const struct nodeset *a, const struct nodeset *b)
{
    return a->count == b->count && nodeset_holds(a, b);
}

bool nodeset_add(struct nodeset *set, uint32_t node)
{
    uint32_t at = 0;

    assert(node != 0);
    if (nodeset_has(set, node)) {
        return true;
    }
    if (set->count == NODESET_MAX) {
        return false;
    }
    while (at < set->count && set->nodes[at] < node) {
        at++;
    }
    memmove(&set->nodes[at + 1], &set->nodes[at], (set->count - at) * sizeof set->nodes[0]);
    set->nodes[at] = node;
    set->count++;
    return true;
}

void nodeset_remove(struct nodeset *set, uint32_t node)
{
    struct nodeset rest = {0};

    for (uint32_t i = 0; i < set->count; i++) {
        if (set->nodes[i] != node) {
            rest.nodes[rest.count++] = set->nodes[i];
        }
    }
    *set = rest;
}

struct nodeset nodeset_minus(const struct nodeset *a, const struct nodeset *b)
{
    struct nodeset rest = *a;

    for (uint32_t i = 0; i < b->count; i++) {
        nodeset_remove(&rest, b->nodes[i]);
    }
    return rest;
}

struct nodeset nodeset_union(const struct nodeset *a, const struct nodeset *b)
{
    struct nodeset both = *a;

    for (uint32_t i = 0; i < b->count; i++) {
        bool is_added = nodeset_add(&both, b->nodes[i]);
        assert(is_added);
    }
    return both;
}

void nodeset_encode(struct bytes *out, const struct nodeset *set)
{
    assert(out != NULL && set != NULL && set->count <= NODESET_MAX);
    bytes_varint(out, set->count);
    for (uint32_t i = 0; i < set->count; i++) {
        bytes_varint(out, set->nodes[i]);
    }
}

void nodeset_decode(struct reader *reader, struct nodeset *set)
{
    size_t count = reader_count(reader, 1);
    uint64_t last = 0;

    assert(set != NULL);
    *set = (struct nodeset){0};
    if (count > NODESET_MAX) {
        reader_spoil(reader);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t node = reader_varint(reader);
        if (node <= last || node > UINT32_MAX) {
            reader_spoil(reader);
            *set = (struct nodeset){0};
            return;
        }
        last = node;
        set->nodes[set->count++] = (uint32_t)node;
    }
}

void nodeset_dump(struct bytes *out, const struct nodeset *set)
{
    if (set->count == 0) {
        bytes_u8(out, '-');
    }
    for (uint32_t i = 0; i < set->count; i++) {
        bytes_format(out, "%s%u", i == 0 ? "" : " ", set->nodes[i]);
    }
}
