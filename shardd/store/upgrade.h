/*
 * upgrade.h -- files of earlier formats.
 *
 *   format 1: pages without checksums    format 2: with (pagesum.h)
 *
 *   shard-5.db --copied, page by page with sums--> shard-5.db-new --renamed--> shard-5.db
 *
 * A crash at any time leaves the old file or the new one; a copy that was not finished is made
 * anew. It takes as much room again as the file has, and about a second for 100 MB, at the first
 * start of a node of this version. There is no way back: older nodes refuse the new file.
 *
 * Shell: SQLite, files.
 */
#ifndef SHARDD_STORE_UPGRADE_H
#define SHARDD_STORE_UPGRADE_H

#include "common/error.h"

enum { UPGRADE_FORMAT = 2 };

/* Of a file that is not open and has no sums. Returns E_OK, E_CORRUPT (its pages lack the sums that
 * its format has), E_CONFIG (not this machine's own file system, no room, not a shard's file). */
int upgrade_run(const char *path, const char *vfs, struct error *err);

#endif
