/*
 * coordinator_conf.h -- options of cardea-coordinator: conf.def as a struct and a table.
 */
#ifndef COORDINATOR_COORDINATOR_CONF_H
#define COORDINATOR_COORDINATOR_CONF_H

#include "common/conf.h"

struct coordinator_conf {
#define CONF_DEF "coordinator/conf.def"
#include "common/conf_fields.def"
#undef CONF_DEF
};

extern const struct conf_table coordinator_conf_table;

#endif
