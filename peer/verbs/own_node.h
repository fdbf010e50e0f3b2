#ifndef PEER_VERBS_OWN_NODE_H
#define PEER_VERBS_OWN_NODE_H

#include "peer/verbs/query.h"

/* A verb that joins the overlay as a client on its own, for as long as it takes: a child process
 * runs the node, and the verb asks that. */

extern char *reload_own_node_identity; /* --identity, or NULL */

#define RELOAD_OWN_NODE_ENTRY                                                                      \
    {                                                                                              \
        "identity", 0, 0, G_OPTION_ARG_FILENAME, &reload_own_node_identity,                        \
            "Join as a client of its own for this, instead of asking a running peer", "DIR"        \
    }

/* With --identity: starts the node, waits until it has joined and points reload_query at it;
 * without does nothing. `registers`: the user's calls come there, too. 0, or an exit code after an
 * error was printed. */
int reload_own_node_start(bool registers);
/* Has it hang up, unregister and leave; `code` comes back. From start() on an interrupt does not
 * end the program (verbs/interrupt.h): this is where it ends. */
int reload_own_node_stop(int code);

#endif
