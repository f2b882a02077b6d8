/*
 * look_source.h -- vertices that a read starts from: by id, or scanned by the path of look_path.h.
 */
#ifndef SHARDD_LOOK_SOURCE_H
#define SHARDD_LOOK_SOURCE_H

#include "shardd/look.h"

int look_source_ids(struct look *look);
int look_source_vertices(struct look *look);

#endif
