#include "router/cli/devhost.h"

#include "tests/lib/runner.h"

#include <stdio.h>
#include <stdlib.h>

static struct devhost host;
static char folder[64];

static void start(uint32_t nodes)
{
    struct error err = {0};
    static struct log log;

    log_init(&log, 2, LOG_LEVEL_ERROR);
    ck_assert_msg(devhost_open(&host,
                               &(struct devhost_options){
                                   .data = folder, .nodes = nodes, .is_sync = false, .log = &log},
                               &err) == E_OK,
                  "%s", err.text);
}

START_TEST(a_node_is_killed_paused_and_started)
{
    struct error err = {0};
    char command[128];

    snprintf(folder, sizeof folder, "/tmp/cardea-devhost-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    ck_assert_uint_eq(devhost_count(folder), 0);
    start(3);
    ck_assert_uint_eq(devhost_count(folder), 3);
    ck_assert_int_eq(devhost_exchange(&host, &err), E_OK);
    ck_assert_int_eq(devhost_kill(&host, 2, &err), E_OK);
    ck_assert_ptr_null(host.nodes[1]);
    ck_assert_int_eq(devhost_exchange(&host, &err), E_OK);
    ck_assert_int_eq(devhost_kill(&host, 2, &err), E_INVALID);
    ck_assert_int_eq(devhost_pause(&host, 2, &err), E_INVALID);
    ck_assert_int_eq(devhost_restart(&host, 2, &err), E_OK);
    ck_assert_ptr_nonnull(host.nodes[1]);
    ck_assert_int_eq(devhost_pause(&host, 3, &err), E_OK);
    ck_assert_int_eq(devhost_pause(&host, 3, &err), E_INVALID);
    ck_assert_int_eq(devhost_exchange(&host, &err), E_OK);
    ck_assert_int_eq(devhost_restart(&host, 3, &err), E_OK);
    ck_assert(!host.shards[2].is_paused);
    ck_assert_int_eq(devhost_kill(&host, 4, &err), E_NOT_FOUND);
    ck_assert_int_eq(devhost_restart(&host, 0, &err), E_NOT_FOUND);
    devhost_close(&host);
    start(3);
    devhost_close(&host);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}
END_TEST

RUN_SUITE("devhost", a_node_is_killed_paused_and_started)
