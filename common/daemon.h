/*
 * daemon.h -- what a process owes its machine: one owner of a data folder, readiness, limits, last
 * words.
 *
 *   DIR/LOCK      locked while a process runs on the folder
 *   DIR/IDENTITY  cluster, role and node that the folder belongs to; another one's is refused
 *
 * Shell.
 */
#ifndef COMMON_DAEMON_H
#define COMMON_DAEMON_H

#include "common/error.h"

struct log;

struct daemon_folder {
    int lock_fd; /* Plus 1, so that all zero is closed. */
};

/* Makes the folder, and those above it, if need be. */
int daemon_folder_make(const char *dir, struct error *err);
/* Makes the folder if need be, locks it, checks or writes its identity.
 * Returns E_OK, E_CONFIG (of another cluster, role or node), E_IO (in use, cannot be written). */
int daemon_folder_open(struct daemon_folder *folder, const char *dir, const char *identity,
                       struct error *err);
void daemon_folder_close(struct daemon_folder *folder);
/* Tells the service manager, if there is one (NOTIFY_SOCKET), such as "READY=1". */
void daemon_notify(const char *state);
enum { DAEMON_STACK_BYTES = 100 << 20 };

/* As many descriptors as the machine allows, and a stack of DAEMON_STACK_BYTES. */
void daemon_raise_limits(void);
/* On SIGABRT and SIGSEGV: the log's ring to standard error. Keeps the log. */
void daemon_last_words(const struct log *log);

#endif
