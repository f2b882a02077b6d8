#include "shardd/shardd_conf.h"

#include <stddef.h>

static const struct conf_option rows[] = {
#define CONF_DEF    "shardd/conf.def"
#define CONF_STRUCT struct shardd_conf
#include "common/conf_rows.def"
};

const struct conf_table shardd_conf_table = {"cardea-shardd", rows, sizeof rows / sizeof rows[0]};
