/*
 * scan_walk.h -- runs of many vertices in ascending order: steps to the next one if it is near.
 *
 * A seek costs three to five steps. So after each vertex the statement stays where it is, and the
 * next vertex is first looked for by stepping, at most `patience` rows; patience grows when that
 * works and shrinks when it does not.
 */
#ifndef SHARDD_READ_SCAN_WALK_H
#define SHARDD_READ_SCAN_WALK_H

#include "shardd/store/stmt.h"

struct scan_walk {
    struct stmt *stmt;
    enum stmt_id id;
    bool is_open;
    bool has_row;
    uint32_t patience;
    struct vid last;            /* What was sought last. */
    uint8_t text[VID_TEXT_MAX]; /* Of last. */
};

void scan_walk_init(struct scan_walk *walk, struct stmt *stmt, uint8_t direction);
void scan_walk_close(struct scan_walk *walk);
/* 1: at the first run of the vertex; 0: it has none; or an error. Columns: vertex, label, run. */
int scan_walk_to(struct scan_walk *walk, const struct vid *vertex, struct error *err);
/* 1: at its next run; 0: that was the last; or an error. */
int scan_walk_next(struct scan_walk *walk, const struct vid *vertex, struct error *err);

#endif
