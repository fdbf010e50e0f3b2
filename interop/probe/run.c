#include "interop/probe/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/probe/functions.h"
#include "interop/probe/memory.h"

#define TRANSCRIPT_MAX 60000

struct probe_actor *probe_run_actor(struct probe_run *run, const char *name)
{
    const char *wanted = probe_scope_alias(&run->names, name);
    for (size_t i = 0; i < run->actor_count; i++)
        if (strcmp(run->actors[i]->name, wanted) == 0)
            return run->actors[i];
    probe_fault_set(&run->fault, "nobody is called %s", wanted);
    return NULL;
}

struct probe_link *probe_run_link(struct probe_run *run)
{
    struct probe_actor *me = probe_run_actor(run, "me");
    struct probe_link *link = me ? probe_actor_link(me) : NULL;
    if (link || !me)
        return link;
    return probe_actor_dial(me, &run->fault);
}

void probe_run_poll(struct probe_run *run, int wait_ms)
{
    probe_actors_poll(run->actors, run->actor_count, wait_ms);
}

void probe_run_note(struct probe_run *run, const char *mark, struct reload_slice bytes)
{
    if (reload_buffer_len(&run->transcript) > TRANSCRIPT_MAX)
        return;
    char *hex = probe_hex(bytes);
    probe_append(&run->transcript, reload_slice_of(mark, strlen(mark)));
    probe_append_byte(&run->transcript, ' ');
    probe_append(&run->transcript, reload_slice_of(hex, strlen(hex)));
    probe_append_byte(&run->transcript, '\n');
    free(hex);
}

int probe_run_render(struct probe_run *run, const char *text, struct reload_buffer *out)
{
    return probe_render(&run->names, &run->functions, text, out, &run->fault);
}

/* The first of the case's needs that is not met; NULL when all are. */
static const char *missing(const struct probe_world *world, const char *needs, char word[60])
{
    for (const char *p = needs; *p; p += strspn(p, " ")) {
        size_t n = strcspn(p, " ");
        snprintf(word, 60, "%.*s", (int)n, p);
        p += n;
        bool met = strcmp(word, "fresh") == 0 || strcmp(word, "authority") == 0 ? world->ca != NULL
                   : strcmp(word, "tls") == 0  ? !world->options.dtls
                   : strcmp(word, "dtls") == 0 ? world->options.dtls
                                               : probe_scope_find(&world->names, word) != NULL;
        if (!met)
            return word;
    }
    return NULL;
}

static void begin(struct probe_run *run, struct probe_world *world, const struct probe_case *one)
{
    *run = (struct probe_run){ .world = world, .now = one, .names = { .outer = &world->names } };
    run->functions = (struct probe_functions){ probe_call, run };
    if (probe_actor_make(&run->actors[0], world, "own", PROBE_ACTOR_OWN, (struct reload_slice){ 0 },
                         &run->names, &run->fault))
        return;
    run->actors[0]->message = probe_run_message;
    run->actors[0]->context = run;
    run->actor_count = 1;
    probe_scope_text(&run->names, "me", "own");
    if (strstr(one->needs, "fresh") &&
        (probe_step(run, "actor newcomer fresh") || probe_step(run, "as newcomer")))
        return;
}

static void end(struct probe_run *run)
{
    for (size_t i = 0; i < run->actor_count; i++)
        probe_actor_free(run->actors[i]);
    for (size_t i = 0; i < run->message_count; i++)
        probe_message_free(run->messages[i]);
    free(run->messages);
    for (size_t i = 0; i < run->piece_count; i++)
        probe_message_free(run->pieces[i]);
    probe_scope_fini(&run->names);
    reload_buffer_free(&run->sent);
    reload_buffer_free(&run->transcript);
}

static void judge(struct probe_run *run, struct probe_result *result, const char *step)
{
    char reason[PROBE_FAULT_MAX + 200];
    result->verdict = run->fault.text[0] ? PROBE_FAIL : PROBE_PASS;
    if (result->verdict == PROBE_PASS)
        return;
    snprintf(reason, sizeof reason, "%s [%.150s]", run->fault.text, step);
    probe_append_byte(&run->transcript, '\0');
    result->reason = probe_strdup(reason);
    result->transcript = probe_strdup((char *)run->transcript.p + run->transcript.start);
}

void probe_run_case(struct probe_world *world, const struct probe_case *one,
                    struct probe_result *result)
{
    struct probe_run run;
    char word[60], reason[100];
    const char *step = "";
    uint64_t start = probe_now().monotonic_ms;
    *result = (struct probe_result){ .verdict = PROBE_NOT_APPLICABLE };
    if (missing(world, one->needs, word)) {
        snprintf(reason, sizeof reason, "needs %s", word);
        result->reason = probe_strdup(reason);
        return;
    }
    begin(&run, world, one);
    for (size_t i = 0; i < one->step_count && !run.fault.text[0]; i++)
        if (probe_step(&run, step = one->steps[i]))
            probe_fault_set(&run.fault, "the step fails");
    judge(&run, result, step);
    end(&run);
    result->took_ms = probe_now().monotonic_ms - start;
}

void probe_result_fini(struct probe_result *result)
{
    free(result->reason);
    free(result->transcript);
    *result = (struct probe_result){ 0 };
}
