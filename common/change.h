/*
 * change.h -- what a transaction writes: effects on rows, never queries. Bodies of journal entries.
 *
 * A change is carried out by one shard: the owner of `vertex`. An edge is two changes, one a half:
 * OUT at the source's shard and IN at the destination's; both carry id, label, far end and
 * properties.
 *
 * kind           vertex  direction far edge label     key value ...
 * VERTEX_ADD     x                          label     props: vprops
 * VERTEX_DROP    x       (its edges are dropped by EDGE_DROPs of their own, far halves included)
 * VPROP_SET      x                                    key value cardinality prop_id metas
 * VPROP_DROP     x                                    key prop_id (none: all of key; no key: all)
 * META_SET/DROP  x                                    key prop_id meta_key value
 * EDGE_ADD       x       OUT|IN    x   x    label far_label      props
 * EDGE_DROP      x       OUT|IN    x   x    label
 * EPROP_SET      x       OUT|IN    x   x    label     key value
 * EPROP_DROP     x       OUT|IN    x   x    label     key
 *
 * A claim is an EDGE_ADD or EDGE_DROP of the OUT half without a label: an edge's id is one in the
 * whole graph, so it is claimed (given up) at the shard that would own a vertex of that id, in the
 * edge's own transaction. Not needed where the out half is at that shard anyway: ids made by
 * coordinators are chosen so. See shardmap_is_claimed.
 *
 * VERTEX_ADD of an id that exists, EDGE_ADD to a vertex that does not, a SET or DROP on what is
 * gone: the shard says no when it validates (E_EXISTS, E_NOT_FOUND, E_CONFLICT), so callers need no
 * read before.
 *
 * Pure. Limits: CHANGE_COUNT_MAX a transaction; a list is at most MESSAGE_BODY_MAX bytes.
 */
#ifndef COMMON_CHANGE_H
#define COMMON_CHANGE_H

#include "common/element.h"
#include "common/reader.h"
#include "common/vid.h"

enum { CHANGE_COUNT_MAX = 150000 };

enum change_kind {
    CHANGE_VERTEX_ADD = 1,
    CHANGE_VERTEX_DROP = 2,
    CHANGE_VPROP_SET = 3,
    CHANGE_VPROP_DROP = 4,
    CHANGE_META_SET = 5,
    CHANGE_META_DROP = 6,
    CHANGE_EDGE_ADD = 7,
    CHANGE_EDGE_DROP = 8,
    CHANGE_EPROP_SET = 9,
    CHANGE_EPROP_DROP = 10
};

struct change {
    enum change_kind kind;
    uint8_t direction;   /* DIRECTION_OUT or DIRECTION_IN (enum enumerator): which half. */
    uint8_t cardinality; /* VPROP_SET: CARDINALITY_* - CARDINALITY_SINGLE. */
    struct vid vertex;
    struct vid far;
    struct vid edge;
    struct slice label;     /* Of the vertex (VERTEX_ADD) or the edge. */
    struct slice far_label; /* EDGE_ADD: label of the far vertex. */
    struct slice key;
    struct slice meta_key;
    struct value value;
    int64_t prop_id; /* 0, none: the shard derives one (VPROP_SET); which one (DROP, META). See
                      * change_prop_id. */
    const struct property *props; /* EDGE_ADD: properties. VPROP_SET: metas. */
    uint32_t prop_count;
    const struct vproperty *vprops; /* VERTEX_ADD. */
    uint32_t vprop_count;
};

bool change_is_claim(const struct change *change);
/* Stands for the id 0 of a vertex property, since 0 is none: in struct change and in its bytes. */
#define CHANGE_PROP_ZERO INT64_MIN

/* The prop_id of an id: NULL or a LONG. */
int64_t change_prop_id(const struct value *id);
/* The id of a prop_id: NULL or a LONG. */
struct value change_prop_value(int64_t prop_id);
void change_encode(struct bytes *out, const struct change *change);
/* Spoils the reader on bad form. Text points into the input, the rest is in the arena. */
void change_decode(struct reader *reader, struct arena *arena, struct change *out);
/* The same change with all it points to in the arena. */
struct change change_copy(struct arena *arena, const struct change *change);
void change_dump(struct bytes *out, const struct change *change);

#endif
