#ifndef RELOAD_TESTS_SIM_EVENTS_H
#define RELOAD_TESTS_SIM_EVENTS_H

#include <stddef.h>
#include <stdint.h>

/* What is going to happen in a simulated world: a binary heap, by time and then in the order of
 * scheduling, so that one seed gives one run. */

enum event_type {
    EVENT_DELIVER,   /* a message arrives at the node `to` */
    EVENT_OPEN,      /* a dial of `from` has reached `to`, or not */
    EVENT_OPEN_LOST, /* a dial into nothing is given up */
    EVENT_SUSPECT,   /* `to` misses acks on a link */
    EVENT_LOST,      /* `to` gives a link up, unless the far end is back */
    EVENT_DOWN,      /* the far end of a link, or `to` itself, has closed it */
    EVENT_TICK,      /* `to` wants time */
    EVENT_PERSISTED, /* the disk of `to` has written */
    EVENT_GATHERED,  /* `to` has candidates */
    EVENT_CHECKED,   /* ICE has found a way between `to` and the far end of its channel */
    EVENT_UNCHECKED, /* ICE checks of `to` are given up */
    EVENT_ACKED,     /* what `to` has sent on a link arrived */
    EVENT_RTO,       /* an ack that `to` waits for is late */
    EVENT_GIVEN_UP,  /* `to` sends a message no more that was never acknowledged */
    EVENT_COUNT
};

struct event {
    uint64_t at_ms;
    uint64_t order; /* given by events_add() */
    enum event_type type;
    uint32_t to, from; /* places of nodes */
    uint32_t life;     /* of `to`: nothing reaches a node that was started again since */
    uint32_t link;
    uint64_t number; /* attach number, token, serial of a channel, or delay of an ack */
    int bootstrap;
    uint8_t *bytes; /* owned */
    size_t len;
};

struct events {
    struct event *heap;
    size_t count, cap;
    uint64_t order;
};

void events_add(struct events *events, struct event event);
struct event events_take(struct events *events); /* the next; there must be one */
void events_fini(struct events *events);

#endif
