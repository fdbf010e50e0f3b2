#ifndef PEER_VERBS_CALL_SHOW_H
#define PEER_VERBS_CALL_SHOW_H

#include "peer/control_client.h"
#include "peer/verbs/query.h"

/* A call on the screen: each state on a line, level and quality on one that is kept up to date, or
 * with --json every event on a line. */

struct reload_call_show {
    struct reload_control_client *client; /* subscribed */
    double talk_s;                        /* hang up so long after it is established; 0: never */
};

/* A connection that is told all events. 0, or an exit code after an error was printed. */
int reload_call_connect(struct reload_control_client **out);
/* The answer to a request (taken). Events of calls that come meanwhile are kept for
 * reload_call_next(). Exit codes as above. */
int reload_call_ask(struct reload_control_client *client, json_t *request, json_t **answer);
/* The next event of a call, or NULL after `timeout_ms` (-1: however long); *code is set when the
 * peer has ended. */
json_t *reload_call_next(struct reload_control_client *client, int timeout_ms, int *code);
/* Until the call ends: by either side, an interrupt (verbs/interrupt.h), or the time. A far end
 * that does not answer when this one has ended it is not waited for. The exit code: 0 when both
 * talked.
 */
int reload_call_follow(const struct reload_call_show *show, long long call);
/* One line about a call, for people. */
void reload_call_print(const json_t *call);

#endif
