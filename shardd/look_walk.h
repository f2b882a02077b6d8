/*
 * look_walk.h -- runs of many vertices in ascending order: steps to the next one if it is near.
 *
 * A seek costs three to five steps. So after each vertex the statement stays where it is, and the
 * next vertex is first looked for by stepping, at most `patience` rows; patience grows when that
 * works and shrinks when it does not.
 */
#ifndef SHARDD_LOOK_WALK_H
#define SHARDD_LOOK_WALK_H

#include "shardd/stmt.h"

struct look_walk {
    struct stmt *stmt;
    enum stmt_id id;
    bool is_open;
    bool has_row;
    uint32_t patience;
    struct vid last;            /* What was sought last. */
    uint8_t text[VID_TEXT_MAX]; /* Of last. */
};

void look_walk_init(struct look_walk *walk, struct stmt *stmt, uint8_t direction);
void look_walk_close(struct look_walk *walk);
/* 1: at the first run of the vertex; 0: it has none; or an error. Columns: vertex, label, run. */
int look_walk_to(struct look_walk *walk, const struct vid *vertex, struct error *err);
/* 1: at its next run; 0: that was the last; or an error. */
int look_walk_next(struct look_walk *walk, const struct vid *vertex, struct error *err);

#endif
