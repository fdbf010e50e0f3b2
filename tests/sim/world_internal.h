#ifndef RELOAD_TESTS_SIM_WORLD_INTERNAL_H
#define RELOAD_TESTS_SIM_WORLD_INTERNAL_H

#include "tests/sim/datagram.h"
#include "tests/sim/world.h"

/* What the files of the world share. */

#define SUSPECT_AFTER_MS 5000  /* s6.6.5: acks are missing */
#define DOWN_AFTER_MS    30000 /* the link's grace */
#define DIAL_TIMEOUT_MS  10000
#define REQUESTS_MAX     64 /* of a node at a time */

struct link {
    uint32_t node[2], life[2];
    bool open[2];        /* as each end sees it */
    uint64_t last_ms[2]; /* arrival of the last message at each end: links keep order */
    uint32_t delay_ms;
    struct datagram_sender sender[2];
};

struct place {
    struct reload_node_id id;
    struct reload_standin *standin;
    struct reload_node *node; /* NULL: dead */
    struct reload_ip_address_port address;
    uint8_t address_bytes[4];
    struct reload_standin_random random;
    int64_t skew_ms;
    uint32_t life; /* counts starts and deaths */
    uint8_t group;
    uint64_t tick_at_ms;
    enum reload_topology_state state;
    uint32_t *links; /* all it ever had; dead ones are pruned now and then */
    size_t link_count, link_cap;
    struct {
        uint64_t request, tag;
    } requests[REQUESTS_MAX];
    size_t request_count;
};

struct world {
    struct world_options options;
    struct reload_standin_config config;
    struct reload_standin_random random_state;
    struct reload_random random;
    struct events events;
    struct place *places;
    struct channels channels;
    struct link *links; /* a link's id is its place here plus 1, at both ends */
    size_t link_count, link_cap;
    uint64_t now_ms, hash, handled, messages, suspects, calls_in_this_ms;
    world_done *done;
    void *done_context;
};

/* --- world.c --- */
/* Goes into world_hash(). */
void world_note(struct world *w, uint64_t what);

/* --- world_links.c --- */
/* One way, of a new link. */
uint32_t world_some_delay(struct world *w);
/* Whether they are on the same side of a partition. */
bool world_reaches(const struct world *w, uint32_t a, uint32_t b);
/* Which end of the link is at that place: 0 or 1. */
uint32_t world_side_of_link(const struct link *link, uint32_t place);
/* Whether that end is open, and of the node that lives there now. */
bool world_link_is_for(const struct world *w, const struct link *link, uint32_t place);
uint32_t world_make_link(struct world *w, uint32_t a, uint32_t b);
/* When what is sent now comes to that end: after all that was sent before. */
uint64_t world_arrival(struct world *w, struct link *link, uint32_t side);
/* An event for that end of a link. */
void world_tell_link(struct world *w, enum event_type what, uint32_t link, uint32_t side,
                     uint64_t at_ms);
/* A stream's end that waits for acks, whoever has something to send; a datagram link's tries. */
void world_tell_suspect(struct world *w, uint32_t link, uint32_t side);
/* Datagram links: the next time-out of that end, if it has one. */
void world_await_ack(struct world *w, uint32_t link, uint32_t side);
/* The event is the message's arrival, and gets its time. False: it never arrives. */
bool world_send_datagrams(struct world *w, uint32_t side, struct event *e);
/* A message has arrived: so will its ack, if it is not lost. */
void world_acknowledge(struct world *w, const struct event *e);
bool world_far_end_is_there(const struct world *w, const struct link *link, uint32_t side);

/* --- world_actions.c --- */
/* A link that was to be opened does not come about. */
void world_give_up(struct world *w, uint32_t from, uint32_t attach, bool bootstrap,
                   uint64_t after_ms);
/* After every call into a node. */
void world_settle(struct world *w, uint32_t place);

#endif
