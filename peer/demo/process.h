#ifndef PEER_DEMO_PROCESS_H
#define PEER_DEMO_PROCESS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Child processes that run this very program. A child dies with its parent, whatever ends that. */

struct demo_process {
    pid_t pid;     /* 0: not running */
    int out;       /* its standard output; -1: none */
    GString *text; /* read from it and not yet taken */
};

/* Starts `reload ARGUMENTS...` (NULL-terminated, without the program's name), its standard error
 * appended to the log file. 0, or an errno. */
int demo_process_start(struct demo_process *process, const char *log, const char *const *arguments);
/* The next line of its output, for g_free(); NULL when it ended or the time is over. */
char *demo_process_line(struct demo_process *process, int timeout_ms);
/* Waits for its end: its exit code, 128 + signal, or -1 when the time is over. */
int demo_process_wait(struct demo_process *process, int timeout_ms);
void demo_process_signal(struct demo_process *process, int signal_number);
/* Ends it with SIGKILL if it still runs, and releases what it holds. */
void demo_process_end(struct demo_process *process);

/* A TCP port on 127.0.0.1, chosen by the system, bound but not listening: a child may listen on it
 * while nobody else gets it. The descriptor keeps it; -1 on failure. */
int demo_reserve_port(uint16_t *port);

#endif
