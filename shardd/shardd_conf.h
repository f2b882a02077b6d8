/*
 * shardd_conf.h -- options of cardea-shardd: conf.def as a struct and a table.
 */
#ifndef SHARDD_SHARDD_CONF_H
#define SHARDD_SHARDD_CONF_H

#include "common/conf.h"

struct shardd_conf {
#define CONF_DEF "shardd/conf.def"
#include "common/conf_fields.def"
#undef CONF_DEF
};

extern const struct conf_table shardd_conf_table;

#endif
