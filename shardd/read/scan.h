/*
 * scan.h -- one READ in progress: what all its parts share.
 *
 *   source (ids | index | label index | scan)      scan_source.c, scan_edges.c
 *     -> filters                                   scan_filter.c
 *     -> hop                                       scan_hop.c
 *     -> rows, counts, or merged far vertices      scan_emit.c, bulkset.c
 *
 * Each part stops when `is_full`: the budget or the limit is used up. What it has done by then is
 * said by the cursor: the place in the source, and how many halves of that vertex were passed in
 * its hop.
 *
 * Shell: reads SQLite.
 */
#ifndef SHARDD_READ_SCAN_H
#define SHARDD_READ_SCAN_H

#include "common/read_write.h"
#include "shardd/read/bulkset.h"
#include "shardd/read/scan_walk.h"
#include "shardd/store/store.h"
#include "shardd/store/tables.h"

enum {
    SCAN_MERGED_MAX = 300000, /* Distinct far vertices in one reply. */
    SCAN_WALK_MIN = 16,       /* Inputs from which on runs are walked along. */
    SCAN_SLOT_VERTICES = 2048 /* Candidates of an index that get slots of their own. */
};

enum scan_need {
    SCAN_NEED_NOTHING, /* Not even whether the vertex is there. */
    SCAN_NEED_HEAD,    /* Label and degrees. */
    SCAN_NEED_PROPS
};

/* Where a reply stopped, and the next one goes on. */
struct scan_cursor {
    uint64_t emitted;  /* For limit. */
    uint64_t each;     /* For limit_each, of the input at hand. */
    uint64_t position; /* Of inputs; or of ranges or labels. */
    uint64_t passed;   /* Halves of the hop of the vertex at hand; 0: the vertex is new. */
    bool has_vertex;
    struct vid vertex; /* Scans: the last one done, or (passed > 0) the one at hand. */
    struct slice key;  /* Index: where the entry is, as scan_source.c writes it. */
};

struct scan {
    struct tables *tables;
    const struct read_request *request;
    struct store_budget budget;
    struct read_writer writer;
    struct bytes *reply;
    struct arena arena; /* Of the whole read. */
    struct arena row;   /* Of one vertex. */
    struct arena run;   /* Of one run, and of values that filters look at. */
    struct txn_readset slots;
    struct scan_cursor at;
    struct slice access;
    enum scan_need need;
    uint32_t label_count; /* Of the hop: symbols of those that are known here. */
    const uint32_t *labels;
    uint32_t key_count; /* Of the projection. */
    const uint32_t *keys;
    uint32_t *names; /* File symbol -> 1 + symbol of the reply; 0: not yet. */
    uint64_t scanned;
    uint64_t clocked;          /* What `scanned` was when the clock was looked at. */
    uint64_t count;            /* READ_COUNT; READ_COUNT_EACH: of the vertex at hand. */
    uint64_t *label_counts;    /* READ_LABEL_COUNTS: by file symbol. */
    struct bulkset merge;      /* READ_MERGED. */
    struct scan_walk walks[2]; /* By direction. */
    bool is_walking;           /* Vertices come in ascending order, many of them. */
    struct vid near;           /* Whose label near_label is. */
    bool has_near;
    uint32_t near_label;
    bool is_full;
    struct error *err;
};

/* A vertex that a source came to. */
struct scan_vertex {
    uint32_t ordinal;
    uint64_t bulk;
    struct vid id;
    bool has_row; /* row is what need asks for. */
    struct vrow row;
};

int scan_init(struct scan *scan, struct tables *tables, const struct read_request *request,
              struct error *err);
void scan_close(struct scan *scan);

/* The reply's symbol of a file's. */
uint32_t scan_name(struct scan *scan, uint32_t symbol);
/* Adds a slot to the read set, unless the request wants none. */
void scan_slot_vertex(struct scan *scan, enum item_kind kind, const struct vid *id,
                      struct slice label);
void scan_slot_name(struct scan *scan, enum item_kind kind, struct slice name);
void scan_slot(struct scan *scan, uint16_t slot);
/* Notes so many rows looked at, and whether the budget is used up. */
void scan_spend(struct scan *scan, uint64_t rows);

/* Cursors. */
void scan_cursor_encode(struct bytes *out, const struct scan_cursor *cursor);
int scan_cursor_decode(struct slice input, struct scan_cursor *cursor, struct error *err);

#endif
