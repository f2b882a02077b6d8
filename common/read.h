/*
 * read.h -- what a router asks of one shard in one request (READ), and the rows it gets back.
 *
 *   source            IDS | VERTICES (scan; the shard picks an index) | EDGES | EDGE_IDS
 *   -> filters        on the source element
 *   -> hop            optional: to edges, or to far vertices' ids (and labels: in the edge)
 *   -> edge filters   on the edges of the hop; far filters on far id and label
 *   -> emit           rows | merged | count | count for each input | counts by label
 *   -> projection     label, all or named properties, of what is emitted (not of far vertices)
 *
 * So a hop of a whole frontier is one request a shard, whatever its size. An answer larger than
 * READ_REPLY_BYTES is cut; it then has a cursor, with which the same request continues.
 * The transaction's own uncommitted changes of this shard travel with the request (`staged`): the
 * shard applies them, reads, and rolls back.
 *
 * Pure. Decoded requests borrow from their input; the rest is in the arena given.
 * Limits: READ_IDS_MAX ids, READ_FILTERS_MAX filters, READ_LABELS_MAX labels.
 */
#ifndef COMMON_READ_H
#define COMMON_READ_H

#include "common/element.h"
#include "common/predicate.h"
#include "common/txn.h"

enum {
    READ_IDS_MAX = 1 << 17,
    READ_FILTERS_MAX = 64,
    READ_LABELS_MAX = 256,
    READ_KEYS_MAX = 256,
    READ_REPLY_BYTES = 2 << 20
};

enum read_source {
    READ_IDS = 1,      /* Vertices by id; absent ones give nothing. */
    READ_VERTICES = 2, /* All of the shard that pass the filters. */
    READ_EDGES = 3,    /* All edges whose out half is here. */
    READ_EDGE_IDS = 4  /* Edges by id whose out half is here. */
};

enum read_emit {
    READ_ROWS = 1,   /* One row a result; `ordinal` tells the input it came from. */
    READ_MERGED = 2, /* Hop to vertices: each far vertex once, with the sum of bulks. */
    READ_COUNT =
        3, /* One number: sum of bulks. Degrees and counters where nothing else is needed. */
    READ_COUNT_EACH = 4,  /* A number for each input that has any. */
    READ_LABEL_COUNTS = 5 /* VERTICES, EDGES: a number for each label, from the counters. */
};

enum read_project {
    READ_NOTHING = 0, /* Ids and labels only. */
    READ_ALL = 1,     /* All properties, with metas. */
    READ_KEYS = 2     /* Only the named ones. */
};

enum read_filter_on {
    READ_ON_ID = 1,
    READ_ON_LABEL = 2,
    READ_ON_KEY = 3,    /* Any value of the key matches. */
    READ_ON_EXISTS = 4, /* The key is there. */
    READ_ON_ABSENT = 5  /* The key is not there. */
};

struct read_filter {
    enum read_filter_on on;
    struct slice key;                  /* ON_KEY, EXISTS, ABSENT. */
    const struct predicate *predicate; /* ON_ID, LABEL, KEY. */
};

struct read_input {
    struct vid id;
    uint64_t bulk; /* At least 1. */
};

struct read_hop {
    uint8_t direction; /* 0: no hop; else DIRECTION_OUT, IN, BOTH. BOTH gives a self loop twice. */
    bool to_edges;     /* Emit the edges; else the far vertices. */
    uint32_t label_count; /* 0: all. */
    const struct slice *labels;
    uint32_t edge_filter_count;
    const struct read_filter *edge_filters;
    uint32_t far_filter_count; /* ON_ID and ON_LABEL of the far vertex. */
    const struct read_filter *far_filters;
};

struct read_request {
    enum read_source source;
    enum read_emit emit;
    enum read_project project;
    bool id_int; /* The graph gives ids back as INT (shardmap.h): for filters that compare ids. */
    bool skip_readset;    /* The reply need not carry slots: a read that is not validated. */
    uint32_t input_count; /* IDS, EDGE_IDS. */
    const struct read_input *inputs;
    uint32_t filter_count;
    const struct read_filter *filters;
    struct read_hop hop;
    uint32_t key_count; /* READ_KEYS. */
    const struct slice *keys;
    uint64_t limit;      /* Rows at most; 0: no limit. */
    uint64_t limit_each; /* Rows at most for each input; 0: no limit. */
    struct slice cursor; /* Of the reply before; empty at first. */
    struct slice staged; /* varint count, then changes; empty: none. */
};

/* One result. For READ_COUNT only bulk; for COUNT_EACH ordinal and bulk; for LABEL_COUNTS label and
 * bulk. */
struct read_row {
    uint32_t ordinal; /* Index of the input, 0 for scans. */
    uint64_t bulk;
    struct value
        element; /* VERTEX or EDGE; NULL for counts. In the arena given to read_reply_next. */
    struct slice label; /* LABEL_COUNTS. */
};

void read_request_encode(struct bytes *out, const struct read_request *request);
int read_request_decode(struct slice body, struct arena *arena, struct read_request *request,
                        struct error *err);
/* Releases the patterns that decoding compiled; after a failed decode there is nothing to
 * release. */
void read_request_close(struct read_request *request);
void read_request_dump(struct bytes *out, const struct read_request *request);

/* ---- the reply, written by the shard with read_write.h ---- */

/* Head of a reply: all but the rows. */
struct read_head {
    uint64_t read_index; /* Journal index applied when it was read. */
    uint64_t rows;
    uint64_t scanned;    /* Rows looked at, for profile(). */
    uint64_t micros;     /* Time the shard took, for profile(). */
    struct slice access; /* "ids", "scan", "label index", "index byCode": for profile(). */
    struct slice cursor; /* Empty: this is all. */
    struct txn_readset readset;
};

/* ---- the reply, read by the router ---- */

struct read_reply {
    struct read_head head;
    enum read_emit emit;
    struct reader reader;
    struct slice *symbols; /* Labels and keys of this reply. */
    uint32_t symbol_count;
    uint64_t rows_left;
    bool id_int;
    int64_t last_id; /* Delta decoding. */
    uint32_t last_ordinal;
    struct slice last_label;
};

/* Symbols go to the arena, which must outlive the reply. The body must outlive it too. */
int read_reply_open(struct slice body, struct arena *arena, bool id_int, struct read_reply *reply,
                    struct error *err);
/* Gives the next row: 1, none left: 0, or E_MALFORMED. Elements are in the arena, with texts
 * copied. */
int read_reply_next(struct read_reply *reply, struct arena *arena, struct read_row *row,
                    struct error *err);
void read_reply_close(struct read_reply *reply);

#endif
