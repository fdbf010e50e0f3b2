#ifndef PEER_VERBS_PUMP_H
#define PEER_VERBS_PUMP_H

#include <stdbool.h>
#include <stddef.h>

/* Standard input to a socket of peer/pipe.h, and what it brings to standard output. */

struct reload_pump {
    int fd;         /* taken */
    bool datagrams; /* each read of standard input is one of at most `piece` bytes */
    size_t piece;   /* <= RELOAD_CHANNEL_PIECE_MAX */
    unsigned
        linger_s; /* datagrams: with standard input at its end, this long without one ends it */
};

/* Returns once the socket brings no more, with standard output closed; standard input may still be
 * being read, by a thread that ends with the process. The exit code: RELOAD_EXIT_FAILURE when
 * standard output takes no more. One call a process. */
int reload_pump_run(const struct reload_pump *pump);

#endif
