#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/probe/memory.h"
#include "interop/probe/steps.h"

static int step_actor(struct probe_run *run, const char *words)
{
    static const struct {
        const char *word;
        enum probe_kind_of_actor kind;
    } kinds[] = {
        { "fresh", PROBE_ACTOR_FRESH },
        { "expired", PROBE_ACTOR_EXPIRED },
        { "brief", PROBE_ACTOR_BRIEF },
        { "elsewhere", PROBE_ACTOR_ELSEWHERE },
        { "several", PROBE_ACTOR_SEVERAL },
        { "untrusted", PROBE_ACTOR_UNTRUSTED },
        { "self_made", PROBE_ACTOR_SELF_MADE },
        { "rsa", PROBE_ACTOR_RSA },
        { "at", PROBE_ACTOR_AT },
        { "owned", PROBE_ACTOR_OWNED },
        { "near", PROBE_ACTOR_NEAR },
    };
    char name[24] = "", kind[24] = "";
    struct reload_buffer wanted = { 0 };
    int used = 0;
    sscanf(words, "%23s %23s %n", name, kind, &used);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (strcmp(kind, kinds[i].word) != 0 || run->actor_count == PROBE_ACTORS_MAX)
            continue;
        struct probe_actor **at = &run->actors[run->actor_count];
        int status = probe_run_render(run, words + used, &wanted);
        if (status == 0)
            status = probe_actor_make(at, run->world, name, kinds[i].kind,
                                      probe_buffer_slice(&wanted), &run->names, &run->fault);
        reload_buffer_free(&wanted);
        if (status)
            return -1;
        (*at)->message = probe_run_message;
        (*at)->context = run;
        run->actor_count++;
        return 0;
    }
    return probe_fault_set(&run->fault, "actor: no kind \"%s\", or too many", kind);
}

static int step_as(struct probe_run *run, const char *name)
{
    if (!probe_run_actor(run, name))
        return -1;
    probe_scope_text(&run->names, "me", name);
    return 0;
}

static int step_listen(struct probe_run *run, const char *unused)
{
    struct probe_actor *me = probe_run_actor(run, "me");
    uint8_t port[2];
    char name[40];
    (void)unused;
    if (!me || probe_actor_listen(me, &run->fault))
        return -1;
    port[0] = (uint8_t)(me->local.port >> 8);
    port[1] = (uint8_t)me->local.port;
    snprintf(name, sizeof name, "%s.port", me->name);
    probe_scope_bytes(&run->names, name, reload_slice_of(port, 2));
    snprintf(name, sizeof name, "%s.address", me->name);
    probe_scope_bytes(&run->names, name, reload_slice_of(me->local.bytes, me->local.len));
    return 0;
}

static int step_dial(struct probe_run *run, const char *unused)
{
    struct probe_actor *me = probe_run_actor(run, "me");
    (void)unused;
    return me && probe_actor_dial(me, &run->fault) ? 0 : -1;
}

/* The handshake fails, or the link is closed before anything was answered on it. */
static int step_shut_out(struct probe_run *run, const char *unused)
{
    struct probe_actor *me = probe_run_actor(run, "me");
    struct probe_fault why = { "" };
    struct probe_link *link = me ? probe_actor_dial(me, &why) : NULL;
    (void)unused;
    if (!link)
        return me ? 0 : -1;
    return probe_step_closed(run);
}

static int step_hang_up(struct probe_run *run, const char *unused)
{
    struct probe_actor *me = probe_run_actor(run, "me");
    (void)unused;
    if (me)
        probe_actor_hang_up(me);
    return me ? 0 : -1;
}

static int step_accepted(struct probe_run *run, const char *unused)
{
    struct probe_actor *me = probe_run_actor(run, "me");
    uint64_t end = probe_now().monotonic_ms + PROBE_ANSWER_MS;
    (void)unused;
    while (me && !probe_step_past(end)) {
        for (size_t i = 0; i < me->link_count; i++)
            if (me->links[i]->inbound && me->links[i]->up && !me->links[i]->closed)
                return 0;
        probe_run_poll(run, 20);
    }
    return probe_step_fail(run, "the peer does not dial");
}

static int step_pause(struct probe_run *run, const char *words)
{
    uint64_t end = probe_now().monotonic_ms + strtoul(words, NULL, 10);
    while (!probe_step_past(end))
        probe_run_poll(run, 10);
    return 0;
}

static int step_deaf(struct probe_run *run, const char *words)
{
    (void)run;
    (void)poll(NULL, 0, (int)strtol(words, NULL, 10));
    return 0;
}

const struct probe_step probe_steps_node[] = {
    { "accepted", step_accepted },
    { "actor", step_actor },
    { "as", step_as },
    { "deaf", step_deaf },
    { "dial", step_dial },
    { "hang_up", step_hang_up },
    { "listen", step_listen },
    { "pause", step_pause },
    { "shut_out", step_shut_out },
    { NULL, NULL },
};
