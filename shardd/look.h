/*
 * look.h -- one READ in progress: what all its parts share.
 *
 *   source (ids | index | label index | scan)      look_source.c, look_edges.c
 *     -> filters                                   look_filter.c
 *     -> hop                                       look_hop.c
 *     -> rows, counts, or merged far vertices      look_emit.c, farsum.c
 *
 * Each part stops when `is_full`: the budget or the limit is used up. What it has done by then is
 * said by the cursor: the place in the source, and how many halves of that vertex were passed in
 * its hop.
 *
 * Shell: reads SQLite.
 */
#ifndef SHARDD_LOOK_H
#define SHARDD_LOOK_H

#include "common/read_write.h"
#include "shardd/farsum.h"
#include "shardd/look_walk.h"
#include "shardd/store.h"
#include "shardd/tables.h"

enum {
    LOOK_MERGED_MAX = 300000, /* Distinct far vertices in one reply. */
    LOOK_WALK_MIN = 16,       /* Inputs from which on runs are walked along. */
    LOOK_SLOT_VERTICES = 2048 /* Candidates of an index that get slots of their own. */
};

enum look_need {
    LOOK_NEED_NOTHING, /* Not even whether the vertex is there. */
    LOOK_NEED_HEAD,    /* Label and degrees. */
    LOOK_NEED_PROPS
};

/* Where a reply stopped, and the next one goes on. */
struct look_cursor {
    uint64_t emitted;  /* For limit. */
    uint64_t each;     /* For limit_each, of the input at hand. */
    uint64_t position; /* Of inputs; or of ranges or labels. */
    uint64_t passed;   /* Halves of the hop of the vertex at hand; 0: the vertex is new. */
    bool has_vertex;
    struct vid vertex; /* Scans: the last one done, or (passed > 0) the one at hand. */
    struct slice key;  /* Index: where the entry is, as look_source.c writes it. */
};

struct look {
    struct tables *tables;
    const struct read_request *request;
    struct store_budget budget;
    struct read_writer writer;
    struct bytes *reply;
    struct arena arena; /* Of the whole read. */
    struct arena row;   /* Of one vertex. */
    struct arena run;   /* Of one run, and of values that filters look at. */
    struct txn_readset slots;
    struct look_cursor at;
    struct slice access;
    enum look_need need;
    uint32_t label_count; /* Of the hop: symbols of those that are known here. */
    const uint32_t *labels;
    uint32_t key_count; /* Of the projection. */
    const uint32_t *keys;
    uint32_t *names; /* File symbol -> 1 + symbol of the reply; 0: not yet. */
    uint64_t scanned;
    uint64_t count;            /* READ_COUNT; READ_COUNT_EACH: of the vertex at hand. */
    uint64_t *label_counts;    /* READ_LABEL_COUNTS: by file symbol. */
    struct farsum merge;       /* READ_MERGED. */
    struct look_walk walks[2]; /* By direction. */
    bool is_walking;           /* Vertices come in ascending order, many of them. */
    struct vid near;           /* Whose label near_label is. */
    bool has_near;
    uint32_t near_label;
    bool is_full;
    struct error *err;
};

/* A vertex that a source came to. */
struct look_vertex {
    uint32_t ordinal;
    uint64_t bulk;
    struct vid id;
    bool has_row; /* row is what need asks for. */
    struct vrow row;
};

int look_init(struct look *look, struct tables *tables, const struct read_request *request,
              struct error *err);
void look_close(struct look *look);

/* The reply's symbol of a file's. */
uint32_t look_name(struct look *look, uint32_t symbol);
/* Adds a slot to the read set, unless the request wants none. */
void look_slot_vertex(struct look *look, enum item_kind kind, const struct vid *id,
                      struct slice label);
void look_slot_name(struct look *look, enum item_kind kind, struct slice name);
void look_slot(struct look *look, uint16_t slot);
/* Notes so many rows looked at, and whether the budget is used up. */
void look_spend(struct look *look, uint64_t rows);

/* Cursors. */
void look_cursor_encode(struct bytes *out, const struct look_cursor *cursor);
int look_cursor_decode(struct slice input, struct look_cursor *cursor, struct error *err);

#endif
