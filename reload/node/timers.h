#ifndef RELOAD_NODE_TIMERS_H
#define RELOAD_NODE_TIMERS_H

#include "reload/error.h"

#include <stddef.h>
#include <stdint.h>

/* Deadlines in a binary heap. A timer lies in the object it belongs to; its kind tells whose. */

enum reload_timer_kind {
    RELOAD_TIMER_TRANSACTION,
    RELOAD_TIMER_ATTACH,
    RELOAD_TIMER_APP_ATTACH,
    RELOAD_TIMER_SURPLUS_LINK,
    RELOAD_TIMER_PUBLICATION,
    RELOAD_TIMER_REPLICA,
};

struct reload_timer {
    uint64_t at_ms; /* monotonic */
    size_t place;   /* in the heap, from 1; 0: not set */
    enum reload_timer_kind kind;
};

struct reload_timers { /* zero-initialise to start */
    struct reload_timer **heap;
    size_t count, capacity;
};

/* Sets or moves a timer. RELOAD_E_NOMEM; never for a timer that is set already. */
RELOAD_MUST_USE int reload_timer_set(struct reload_timers *timers, struct reload_timer *timer,
                                     uint64_t at_ms);
/* Moves a timer that is set: cannot fail. */
void reload_timer_move(struct reload_timers *timers, struct reload_timer *timer, uint64_t at_ms);
void reload_timer_clear(struct reload_timers *timers, struct reload_timer *timer);
uint64_t reload_timers_next(const struct reload_timers *timers); /* RELOAD_NEVER when none is set */
/* Takes out the earliest timer that is due, or NULL. */
struct reload_timer *reload_timers_due(struct reload_timers *timers, uint64_t now_ms);
void reload_timers_fini(struct reload_timers *timers);

#endif
