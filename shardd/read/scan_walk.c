#include "shardd/read/scan_walk.h"

#include <assert.h>
#include <string.h>

#include "shardd/store/vrow.h"

enum { PATIENCE_FIRST = 4, PATIENCE_MAX = 16 };

void scan_walk_init(struct scan_walk *walk, struct stmt *stmt, uint8_t direction)
{
    *walk = (struct scan_walk){
        .stmt = stmt,
        .id = direction == VROW_OUT ? STMT_RUN_WALK_OUT : STMT_RUN_WALK_IN,
        .patience = PATIENCE_FIRST,
    };
}

void scan_walk_close(struct scan_walk *walk)
{
    if (walk->is_open) {
        stmt_reset(walk->stmt, walk->id);
    }
    *walk = (struct scan_walk){0};
}

static int step(struct scan_walk *walk, struct error *err)
{
    int rc = stmt_step(walk->stmt, walk->id, err);

    walk->has_row = rc == 1;
    walk->is_open = rc >= 0;
    return rc;
}

static int seek(struct scan_walk *walk, const struct vid *vertex, struct error *err)
{
    sqlite3_stmt *s;

    stmt_reset(walk->stmt, walk->id);
    s = stmt_get(walk->stmt, walk->id);
    stmt_bind_vid(s, 1, vertex);
    return step(walk, err);
}

/* How the row's vertex compares with vertex; 2: the row is damaged. */
static int compare(struct scan_walk *walk, const struct vid *vertex)
{
    struct vid at;

    if (!stmt_column_vid(walk->stmt->list[walk->id], 0, &at)) {
        return 2;
    }
    return vid_order(&at, vertex) < 0 ? -1 : vid_equal(&at, vertex) ? 0 : 1;
}

static int result(struct scan_walk *walk, const struct vid *vertex, struct error *err)
{
    int order = walk->has_row ? compare(walk, vertex) : 1;

    if (order == 2) {
        return error_set(err, E_CORRUPT, "table adjacency: no vertex");
    }
    return order == 0;
}

/* Steps while the row is before the vertex; true if it no longer is. */
static int approach(struct scan_walk *walk, const struct vid *vertex, bool *is_there,
                    struct error *err)
{
    uint32_t steps = 0;

    while (walk->has_row && compare(walk, vertex) < 0) {
        int rc;

        if (steps == walk->patience) {
            walk->patience = walk->patience > 1 ? walk->patience / 2 : 1;
            *is_there = false;
            return E_OK;
        }
        rc = step(walk, err);
        if (rc < 0) {
            return rc;
        }
        steps++;
    }
    walk->patience = walk->patience < PATIENCE_MAX ? walk->patience + 1 : PATIENCE_MAX;
    *is_there = true;
    return E_OK;
}

static void remember(struct scan_walk *walk, const struct vid *vertex)
{
    walk->last = *vertex;
    if (vertex->text.data != NULL) {
        memcpy(walk->text, vertex->text.data, vertex->text.size);
        walk->last = vid_text(slice_of(walk->text, vertex->text.size));
    }
}

int scan_walk_to(struct scan_walk *walk, const struct vid *vertex, struct error *err)
{
    bool is_there = false;
    int rc = E_OK;

    if (walk->is_open && vid_order(&walk->last, vertex) < 0) {
        rc = approach(walk, vertex, &is_there, err);
    }
    remember(walk, vertex);
    if (rc == E_OK && !is_there) {
        rc = seek(walk, vertex, err);
    }
    return rc < 0 ? rc : result(walk, vertex, err);
}

int scan_walk_next(struct scan_walk *walk, const struct vid *vertex, struct error *err)
{
    int rc = step(walk, err);

    return rc < 0 ? rc : result(walk, vertex, err);
}
