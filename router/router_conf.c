#include "router/router_conf.h"

#include <stddef.h>

static const struct conf_option rows[] = {
#define CONF_DEF    "router/conf.def"
#define CONF_STRUCT struct router_conf
#include "common/conf_rows.def"
};

const struct conf_table router_conf_table = {"cardea-router", rows, sizeof rows / sizeof rows[0]};
