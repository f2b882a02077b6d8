/*
 * storefix.h -- a store in a temporary folder, and short words to change and read it.
 */
#ifndef TESTS_LIB_STOREFIX_H
#define TESTS_LIB_STOREFIX_H

#include "shardd/store/store.h"

struct storefix {
    struct store *store;
    struct store_options options;
    char folder[64];
    char path[96];
    struct arena arena;
    struct bytes changes; /* Of the transaction that is being written, without the count. */
    size_t change_count;
    uint64_t seq;
    struct bytes reply;
    struct read_reply open; /* The last reply. */
    struct error err;
};

void storefix_open(struct storefix *fix);
/* Closes and opens the same file. */
void storefix_reopen(struct storefix *fix);
/* Closes the store and deletes its file. */
void storefix_remove(struct storefix *fix);
void storefix_close(struct storefix *fix);

/* ---- writing: gathers changes, then commits them as one TXN1 ---- */

void storefix_add(struct storefix *fix, const struct change *change);
void storefix_vertex(struct storefix *fix, int64_t id, const char *label);
/* With one property. */
void storefix_vertex_with(struct storefix *fix, struct vid id, const char *label, const char *key,
                          struct value value);
void storefix_set(struct storefix *fix, int64_t id, const char *key, struct value value);
/* Both halves. */
void storefix_edge(struct storefix *fix, int64_t edge, int64_t from, int64_t to, const char *label);
void storefix_edge_of(struct storefix *fix, struct vid edge, struct vid from, struct vid to,
                      const char *label);
void storefix_drop_edge(struct storefix *fix, int64_t edge, int64_t from, int64_t to,
                        const char *label);
/* The list as it goes into entries; valid until the next change. */
struct slice storefix_list(struct storefix *fix);
int storefix_check(struct storefix *fix);
/* Appends and applies; forgets the changes. */
void storefix_commit(struct storefix *fix);
void storefix_entry(struct storefix *fix, enum store_entry_kind kind, struct slice body);
void storefix_forget(struct storefix *fix);

/* ---- reading ---- */

/* Opens the reply in fix->open. */
int storefix_read(struct storefix *fix, const struct read_request *request);
/* The next row: false at the end. */
bool storefix_next(struct storefix *fix, struct read_row *row);
/* All rows of all replies (cursors are followed), as text, sorted: "v[1]:person v[2]:person". */
const char *storefix_text(struct storefix *fix, const struct read_request *request);
/* The sum of a READ_COUNT. */
uint64_t storefix_count(struct storefix *fix, const struct read_request *request);
/* Parts of requests, in the arena. */
const struct read_input *storefix_ids(struct storefix *fix, uint32_t count, const int64_t *ids);
const struct predicate *storefix_test(struct storefix *fix, enum predicate_test test,
                                      struct value operand);
const struct read_filter *storefix_filter(struct storefix *fix, enum read_filter_on on,
                                          const char *key, const struct predicate *predicate);

#endif
