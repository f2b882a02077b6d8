/*
 * check_list.h -- is a history of list appends strictly serializable, and did each append happen
 * once?
 *
 * The longest read of a list gives the order of its versions. Edges: ww between writers of
 * neighbouring versions, wr from a writer to who reads its version as the last, rw from a reader
 * to the writer of the next one, real time from who was answered to who asked later. A cycle
 * (Tarjan) is a violation, named by the fewest kinds of edges that still give one: G0 (ww), G1c
 * (wr), lost update, G-single, G2 (rw), stale (time).
 * Sets have no order: who is seen by a reader comes before it (wr), who is not comes after (rw).
 *
 * Also: applied twice, half applied, acknowledged lost, aborted but applied, a value nobody
 * wrote, reads that are no prefixes of one another.
 *
 * The history must end with a read of each item.
 * After: Adya's phenomena; Kingsbury and Alvaro, Elle (VLDB 2020).
 */
#ifndef TESTS_SIM_CHECK_LIST_H
#define TESTS_SIM_CHECK_LIST_H

#include "tests/sim/history.h"

/* True if all is well; else says what is not, one line first. */
bool check_list(const struct history *history, struct bytes *why);

#endif
