#ifndef PEER_VERBS_CHILD_H
#define PEER_VERBS_CHILD_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Child processes that run this very program. A child dies with its parent, whatever ends that. */

struct reload_child {
    pid_t pid;     /* 0: not running */
    int out;       /* its standard output; -1: none */
    GString *text; /* read from it and not yet taken */
};

/* Starts `reload ARGUMENTS...` (NULL-terminated, without the program's name), its standard error
 * appended to the log file. 0, or an errno. */
int reload_child_start(struct reload_child *process, const char *log, const char *const *arguments);
/* The next line of its output, for g_free(); NULL when it ended or the time is over. */
char *reload_child_line(struct reload_child *process, int timeout_ms);
/* Waits for its end: its exit code, 128 + signal, or -1 when the time is over. */
int reload_child_wait(struct reload_child *process, int timeout_ms);
void reload_child_signal(struct reload_child *process, int signal_number);
/* Ends it with SIGKILL if it still runs, and releases what it holds. */
void reload_child_end(struct reload_child *process);

/* A TCP port on 127.0.0.1, chosen by the system, bound but not listening: a child may listen on it
 * while nobody else gets it. The descriptor keeps it; -1 on failure. */
int reload_child_reserve_port(uint16_t *port);

#endif
