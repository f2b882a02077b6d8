/*
 * scan_source.h -- vertices that a read starts from: by id, or scanned by the path of scan_path.h.
 */
#ifndef SHARDD_READ_SCAN_SOURCE_H
#define SHARDD_READ_SCAN_SOURCE_H

#include "shardd/read/scan.h"

int scan_source_ids(struct scan *scan);
int scan_source_vertices(struct scan *scan);

#endif
