#include "coordinator/coordinator_conf.h"

#include <stddef.h>

static const struct conf_option rows[] = {
#define CONF_DEF    "coordinator/conf.def"
#define CONF_STRUCT struct coordinator_conf
#include "common/conf_rows.def"
};

const struct conf_table coordinator_conf_table = {"cardea-coordinator", rows,
                                                  sizeof rows / sizeof rows[0]};
