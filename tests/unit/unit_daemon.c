#include "common/daemon.h"
#include "common/log.h"
#include "common/loop.h"
#include "common/stats.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/runner.h"

static char dir[64];

static void make_dir(void)
{
    (void)snprintf(dir, sizeof dir, "/tmp/unit_daemon.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void remove_dir(void)
{
    static const char *const names[] = {"LOCK", "IDENTITY", "IDENTITY.new"};
    char path[128];

    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, names[i]);
        (void)unlink(path);
    }
    ck_assert_int_eq(rmdir(dir), 0);
}

START_TEST(one_owner)
{
    struct daemon_folder first;
    struct daemon_folder second;
    struct error err = {0};

    make_dir();
    ck_assert_int_eq(daemon_folder_open(&first, dir, "cluster \"a\" shardd 1\n", &err), E_OK);
    ck_assert_int_eq(daemon_folder_open(&second, dir, "cluster \"a\" shardd 1\n", &err), E_IO);
    ck_assert_ptr_nonnull(strstr(err.text, "is in use by another process"));
    daemon_folder_close(&first);
    ck_assert_int_eq(daemon_folder_open(&second, dir, "cluster \"a\" shardd 1\n", &err), E_OK);
    daemon_folder_close(&second);
    daemon_folder_close(&second);
    remove_dir();
}
END_TEST

START_TEST(another_cluster)
{
    struct daemon_folder folder;
    struct error err = {0};
    char expected[256];

    make_dir();
    ck_assert_int_eq(daemon_folder_open(&folder, dir, "cluster \"a\" shardd 1\n", &err), E_OK);
    daemon_folder_close(&folder);
    ck_assert_int_eq(daemon_folder_open(&folder, dir, "cluster \"b\" shardd 1\n", &err), E_CONFIG);
    (void)snprintf(expected, sizeof expected,
                   "data folder %s belongs to cluster \"a\" shardd 1, this is cluster \"b\" "
                   "shardd 1",
                   dir);
    ck_assert_str_eq(err.text, expected);
    ck_assert_int_eq(folder.lock_fd, 0);
    ck_assert_int_eq(daemon_folder_open(&folder, "/proc/nowhere/at/all", "x\n", &err), E_IO);
    remove_dir();
}
END_TEST

START_TEST(notify)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char text[64] = "";
    int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

    make_dir();
    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s/notify", dir);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    ck_assert_int_eq(setenv("NOTIFY_SOCKET", address.sun_path, 1), 0);
    daemon_notify("READY=1");
    ck_assert_int_eq(recv(fd, text, sizeof text - 1, MSG_DONTWAIT), 7);
    ck_assert_str_eq(text, "READY=1");
    (void)unsetenv("NOTIFY_SOCKET");
    daemon_notify("READY=1");
    ck_assert_int_eq(recv(fd, text, sizeof text - 1, MSG_DONTWAIT), -1);
    (void)close(fd);
    (void)unlink(address.sun_path);
    remove_dir();
}
END_TEST

/* What a pipe holds by now. */
static size_t read_pipe(int fd, char *text, size_t size)
{
    size_t at = 0;
    ssize_t count;

    while (at + 1 < size && (count = read(fd, text + at, size - 1 - at)) > 0) {
        at += (size_t)count;
    }
    text[at] = '\0';
    return at;
}

START_TEST(log_lines)
{
    static struct log log;
    static char text[8192];
    char quoted[32];
    int fds[2];

    ck_assert_int_eq(pipe(fds), 0);
    log_init(&log, fds[1], LOG_LEVEL_INFO);
    log_info(&log, "replica", "shard=%d msg=\"became leader\"", 2);
    log_debug(&log, "replica", "note=%d", 3);
    log_info(NULL, "replica", "nothing");
    for (int i = 0; i < 100; i++) {
        log_info(&log, "flood", "i=%d", i);
    }
    (void)close(fds[1]);
    (void)read_pipe(fds[0], text, sizeof text);
    ck_assert_ptr_nonnull(strstr(text, "Z info replica shard=2 msg=\"became leader\"\n"));
    ck_assert_ptr_null(strstr(text, "note=3"));
    ck_assert_ptr_nonnull(strstr(text, " i=19\n"));
    ck_assert_int_eq(text[4], '-');
    ck_assert_int_eq(text[10], 'T');
    (void)close(fds[0]);
    ck_assert_str_eq(log_text(quoted, sizeof quoted, "a\"b\nc"), "a'b c");
    ck_assert_str_eq(log_text(quoted, 3, "abcdef"), "ab");
}
END_TEST

START_TEST(log_ring_holds_all_levels)
{
    static struct log log;
    static char text[LOG_RING_SIZE * 2];
    int fds[2];
    pid_t child;

    ck_assert_int_eq(pipe(fds), 0);
    child = fork();
    if (child == 0) {
        (void)close(fds[0]);
        (void)dup2(fds[1], STDERR_FILENO);
        log_init(&log, fds[1], LOG_LEVEL_ERROR);
        daemon_last_words(&log);
        for (int i = 0; i < 3000; i++) {
            log_debug(&log, "core", "note=%d", i);
        }
        abort();
    }
    (void)close(fds[1]);
    (void)read_pipe(fds[0], text, sizeof text);
    (void)close(fds[0]);
    int status = 0;
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    ck_assert_ptr_nonnull(strstr(text, "last lines of the log"));
    ck_assert_ptr_nonnull(strstr(text, "debug core note=2999\n"));
    ck_assert_ptr_null(strstr(text, "note=0\n"));
}
END_TEST

START_TEST(signals_end_the_loop)
{
    struct loop loop;
    uint64_t now;

    ck_assert_int_eq(loop_open(&loop, NULL), E_OK);
    now = loop_now_ms();
    loop_wait(&loop, -1, -1, now + 1);
    ck_assert(!loop.is_stopping);
    ck_assert_uint_ge(loop_now_ms(), now + 1);
    ck_assert_int_eq(kill(getpid(), SIGTERM), 0);
    loop_wait(&loop, -1, -1, UINT64_MAX);
    ck_assert(loop.is_stopping);
    ck_assert_int_eq(loop.signal, SIGTERM);
    loop_close(&loop);
    ck_assert_uint_ne(loop_random(), loop_random());
}
END_TEST

START_TEST(counters_as_text)
{
    struct stats stats = {0};
    struct bytes out = {0};

    stats_add(&stats, STATS_TURNS, 3);
    stats_set(&stats, STATS_CALLERS, 7);
    stats_add(NULL, STATS_TURNS, 3);
    stats_encode(&out, &stats);
    bytes_u8(&out, 0);
    ck_assert_ptr_nonnull(strstr((const char *)out.data,
                                 "# TYPE cardea_turns_total counter\ncardea_turns_total 3\n"));
    ck_assert_ptr_nonnull(
        strstr((const char *)out.data, "# TYPE cardea_callers gauge\ncardea_callers 7\n"));
    bytes_close(&out);
}
END_TEST

RUN_SUITE("daemon", one_owner, another_cluster, notify, log_lines, log_ring_holds_all_levels,
          signals_end_the_loop, counters_as_text)
