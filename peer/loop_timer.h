#ifndef PEER_LOOP_TIMER_H
#define PEER_LOOP_TIMER_H

#include <glib.h>
#include <stdint.h>

/* One deadline of something that the loop drives: a source of its main context, or NULL. */

/* Calls fire(data) once, as soon as the monotonic clock shows at_ms, in place of what was set
 * before; RELOAD_NEVER: not at all. fire() returns G_SOURCE_REMOVE, and may set it again. */
void reload_loop_timer_set(GSource **timer, GMainContext *context, uint64_t at_ms, GSourceFunc fire,
                           void *data);
/* Also for other sources: ends and forgets it. NULL inside is fine. */
void reload_loop_timer_drop(GSource **timer);

#endif
