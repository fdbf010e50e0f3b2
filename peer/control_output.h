#ifndef PEER_CONTROL_OUTPUT_H
#define PEER_CONTROL_OUTPUT_H

#include <glib.h>

#include "reload/error.h"

/* What waits to be written to a client of the control socket: bytes, and descriptors that are
 * passed along with them (SCM_RIGHTS). */

struct reload_control_output {
    GByteArray *bytes;
    GArray *passed; /* descriptors, in the order of the bytes that they go with */
};

void reload_control_output_init(struct reload_control_output *output);
void reload_control_output_fini(struct reload_control_output *output);
/* A line, its end included. descriptor (taken; -1: none) arrives with the line's first byte. */
void reload_control_output_add(struct reload_control_output *output, const char *line, size_t len,
                               int descriptor);
/* Writes what the socket takes without waiting. RELOAD_E_IO: the client is gone. */
RELOAD_MUST_USE int reload_control_output_write(struct reload_control_output *output, int fd);

#endif
