#ifndef PEER_PIPE_H
#define PEER_PIPE_H

#include "peer/channel.h"

/* A channel joined to a Unix socket that a program holds the other end of: what the program writes
 * goes into the channel, what the channel brings the program reads. A byte channel has a
 * SOCK_STREAM socket, a datagram channel a SOCK_SEQPACKET one, so that each read and write is one
 * datagram.
 *
 * Bytes: nothing is lost and nothing grows: who reads slowly slows the other end down. The end of
 * one direction (shutdown) is passed on, the other goes on. A program that closes its descriptor
 * has its bytes delivered all the same, for RELOAD_PIPE_LINGER_MS at most; what still comes for it
 * is dropped.
 *
 * Datagrams: one for which the program's socket has no room, or that is longer than
 * RELOAD_CHANNEL_DATAGRAM_MAX, is dropped and counted. The end of the program's closes the channel.
 */

#define RELOAD_PIPE_LINGER_MS 30000

struct reload_pipe;

struct reload_pipe_end {
    const struct reload_channel_end *channel; /* how it ended */
    uint64_t bytes_in, bytes_out;             /* to the program, from the program */
    uint64_t dropped_datagrams;               /* either way */
};

/* The channel has ended and the program has got all of it; the pipe is gone after this. */
typedef void reload_pipe_done(void *context, struct reload_pipe *pipe,
                              const struct reload_pipe_end *end);

/* Takes an open channel, its events too. *descriptor is the program's end, the caller's to pass on
 * and close. RELOAD_E_IO (no socket; the channel stays the caller's). */
RELOAD_MUST_USE int reload_pipe_new(struct reload_channel *channel, GMainContext *context,
                                    reload_pipe_done *done, void *done_context,
                                    struct reload_pipe **out, int *descriptor);
/* Closes the channel; `done` does not come. */
void reload_pipe_free(struct reload_pipe *pipe);

#endif
