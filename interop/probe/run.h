#ifndef INTEROP_PROBE_RUN_H
#define INTEROP_PROBE_RUN_H

#include "interop/probe/actor.h"
#include "interop/probe/message.h"
#include "interop/probe/script.h"

/* One case being run. */

#define PROBE_ACTORS_MAX   12
#define PROBE_MESSAGES_MAX 8192  /* that came in one case; a peer may have much to hand over */
#define PROBE_PIECES_MAX   256   /* fragments that wait for others at one time */
#define PROBE_ANSWER_MS    10000 /* how long an answer may take, on a busy machine */
#define PROBE_CLOSE_MS     10000

enum probe_verdict { PROBE_PASS, PROBE_FAIL, PROBE_NOT_APPLICABLE };

struct probe_run {
    struct probe_world *world;
    const struct probe_case *now;
    struct probe_scope names; /* of this case */
    struct probe_actor *actors[PROBE_ACTORS_MAX];
    size_t actor_count;
    struct probe_message **messages; /* that came */
    size_t message_count;
    struct probe_message *pieces[PROBE_PIECES_MAX]; /* fragments that wait for the others */
    size_t piece_count;
    struct reload_buffer sent;    /* the last message made */
    size_t sent_header;           /* bytes of its forwarding header */
    struct probe_message *answer; /* what the last expectation looked at; borrowed */
    struct probe_functions functions;
    struct probe_fault fault;
    struct reload_buffer transcript; /* "> hex" and "< hex" lines */
};

struct probe_result {
    enum probe_verdict verdict;
    char *reason;     /* of a failure or of what is not there; NULL for a pass */
    char *transcript; /* of a failure: the bytes exchanged; else NULL */
    uint64_t took_ms;
};

/* Runs a case on fresh links. */
void probe_run_case(struct probe_world *world, const struct probe_case *one,
                    struct probe_result *result);
void probe_result_fini(struct probe_result *result);

/* --- for the steps --- */

/* The actor of that name or alias, made when it does not exist yet; NULL with a fault. */
struct probe_actor *probe_run_actor(struct probe_run *run, const char *name);
/* The link of the actor that "me" stands for, dialled when there is none; NULL with a fault. */
struct probe_link *probe_run_link(struct probe_run *run);
void probe_run_poll(struct probe_run *run, int wait_ms);
void probe_run_note(struct probe_run *run, const char *mark, struct reload_slice bytes);
int probe_run_render(struct probe_run *run, const char *text, struct reload_buffer *out);

/* Takes what came over a link: a whole message, or a fragment (s6.7) that is put together. */
void probe_run_message(void *context, struct probe_link *link, struct reload_slice bytes);
void probe_message_free(struct probe_message *m); /* NULL is fine */

/* interop/probe/serve.c: answers a request of the peer as a node must, unless the case says how. */
void probe_serve(struct probe_run *run, struct probe_message *request);

/* interop/probe/step.c: one step. 0, or -1 with a fault. */
int probe_step(struct probe_run *run, const char *line);

/* interop/probe/compose.c: makes run->sent of "METHOD ; field=TEMPLATE ; ...". 0 or -1. */
int probe_compose(struct probe_run *run, const char *words);
/* The same into a buffer; what was sent stays what it was. */
int probe_make(struct probe_run *run, const char *words, struct reload_buffer *out);

/* interop/probe/verify.c: what every answer must be like (s6.2.2, s6.3.2, s6.3.4). 0 or -1. */
int probe_verify(struct probe_run *run, const struct probe_message *answer);

#endif
