/*
 * router_conf.h -- options of cardea-router: conf.def as a struct and a table.
 */
#ifndef ROUTER_ROUTER_CONF_H
#define ROUTER_ROUTER_CONF_H

#include "common/conf.h"

struct router_conf {
#define CONF_DEF "router/conf.def"
#include "common/conf_fields.def"
#undef CONF_DEF
};

extern const struct conf_table router_conf_table;

#endif
