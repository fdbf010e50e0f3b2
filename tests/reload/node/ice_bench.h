#ifndef TESTS_RELOAD_NODE_ICE_BENCH_H
#define TESTS_RELOAD_NODE_ICE_BENCH_H

#include "reload/wire/attach.h"
#include "tests/reload/node/rig.h"

/* One node by hand that attaches by ICE: what its host and the far end do to it, an event each. */

#define HOP      0 /* the party that everything is routed through */
#define NEW_LINK 20

extern const struct reload_slice bench_ufrag, bench_password;

enum state { NOTHING, GATHERING, REQUESTED, DEFERRED, ANSWERING, EXPECTING, DIALLING, STATES };

struct bench {
    struct rig rig;
    size_t far;     /* the party that is attached to */
    uint32_t ended; /* bit n: the host has told that number n is over */
};

/* Host candidates of a link type; overwritten by the next call, as are the bodies. */
struct reload_slice bench_candidates(size_t count, uint8_t link_type);
/* Of an Attach. */
struct reload_slice bench_body_of(const char *role, struct reload_slice user,
                                  struct reload_slice pass, struct reload_slice list,
                                  bool send_update);
struct reload_slice bench_good_body(const char *role);
/* A test may change the configuration before bench_start(). */
void bench_init(struct bench *b);
void bench_start(struct bench *b, bool far_is_larger);
/* bench_init() and bench_start(). far_is_larger: who gives way when both attach (s6.5.1.2). */
void bench_setup(struct bench *b, bool far_is_larger);
/* Of the last GATHER; 1 when there was none. */
uint32_t bench_last_number(const struct bench *b);
/* How often a number has ended: abandoned, or by the host. */
unsigned bench_ends_of(const struct bench *b, uint32_t number);
/* Every number that had a GATHER. */
void bench_expect_all_ended_once(const struct bench *b);

/* --- what the node is asked for, and what its host tells it --- */
void bench_attach(struct bench *b);
void bench_gathered(struct bench *b);
void bench_gathered_nothing(struct bench *b);
void bench_open_failed(struct bench *b);
void bench_link_up(struct bench *b, size_t party, uint32_t number);
void bench_right_link(struct bench *b);
void bench_wrong_link(struct bench *b);
void bench_other_link(struct bench *b);

/* --- what the far end sends --- */
uint64_t bench_attach_from(struct bench *b, struct reload_slice body, uint64_t transaction_id);
void bench_its_attach(struct bench *b);
void bench_its_bad_attach(struct bench *b);
void bench_respond(struct bench *b, uint16_t code, struct reload_slice body);
void bench_answer(struct bench *b);
void bench_in_progress(struct bench *b);
void bench_refused(struct bench *b);

/* Longer than anything is waited for. */
void bench_time_passes(struct bench *b);
/* Brings it into that state from NOTHING. */
void bench_drive(struct bench *b, enum state state);

#endif
