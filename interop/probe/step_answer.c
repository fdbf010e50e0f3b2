#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/probe/memory.h"
#include "interop/probe/steps.h"

#define METHOD_MAX 40

/* --- waiting --- */

static struct probe_message *answer_to(const struct probe_run *run, struct reload_slice transaction)
{
    for (size_t i = 0; i < run->message_count; i++) {
        struct probe_message *m = run->messages[i];
        uint64_t code = probe_number(m->code);
        if (!m->taken && (code % 2 == 0 || code == 0xffff) &&
            reload_slice_equal(m->transaction, transaction))
            return m;
    }
    return NULL;
}

static struct reload_slice sent_transaction(const struct probe_run *run)
{
    const struct probe_name *found = probe_scope_find(&run->names, "sent.transaction");
    return found ? reload_slice_of(found->bytes, found->len) : (struct reload_slice){ 0 };
}

static struct probe_message *wait_answer(struct probe_run *run, struct reload_slice transaction)
{
    uint64_t end = probe_now().monotonic_ms + PROBE_ANSWER_MS;
    struct probe_message *m;
    while (!(m = answer_to(run, transaction)) && !probe_step_past(end) && !run->fault.text[0])
        probe_run_poll(run, 20);
    return m;
}

/* The answer to what was sent last, its header and signature checked. */
static int take_answer(struct probe_run *run)
{
    struct probe_message *m = wait_answer(run, sent_transaction(run));
    if (!m)
        return probe_step_fail(run, "no answer");
    m->taken = true;
    run->answer = m;
    return probe_verify(run, m);
}

static int is_error(const struct probe_message *m)
{
    return probe_number(m->code) == 0xffff;
}

static int wrong_code(struct probe_run *run, const struct probe_message *m)
{
    char *body = probe_hex(reload_slice_of(m->body.p, m->body.n < 40 ? m->body.n : 40));
    probe_fault_set(&run->fault, "message code %04llx came, with the body %s",
                    (unsigned long long)probe_number(m->code), body);
    free(body);
    return -1;
}

static int match_body(struct probe_run *run, const struct probe_message *m, const char *pattern)
{
    struct probe_fault why = { "" };
    if (!probe_match(&run->names, &run->functions, pattern, m->body, &run->names, &why))
        return 0;
    return probe_fault_set(&run->fault, "the body: %s", why.text);
}

static int step_ok(struct probe_run *run, const char *pattern)
{
    const struct probe_name *code;
    if (take_answer(run))
        return -1;
    code = probe_scope_find(&run->names, "sent.code");
    if (probe_number(run->answer->code) !=
        probe_number(reload_slice_of(code->bytes, code->len)) + 1)
        return wrong_code(run, run->answer);
    return match_body(run, run->answer, pattern);
}

static int step_error(struct probe_run *run, const char *words)
{
    char pattern[2000];
    size_t code = strcspn(words, " ");
    const char *info = words + code + strspn(words + code, " ");
    if (take_answer(run))
        return -1;
    if (!is_error(run->answer))
        return wrong_code(run, run->answer);
    snprintf(pattern, sizeof pattern, "%.*s <2 %s>", (int)code, words, *info ? info : "...");
    return match_body(run, run->answer, pattern);
}

static int step_answered(struct probe_run *run, const char *unused)
{
    (void)unused;
    return take_answer(run);
}

/* A Ping over the same link, and its answer: whatever came before it would have been answered. */
static int ping_through(struct probe_run *run)
{
    return probe_compose(run, "ping") || probe_step_transmit(run, probe_buffer_slice(&run->sent)) ||
                   take_answer(run) || is_error(run->answer)
               ? probe_step_fail(run, "a Ping is no longer answered")
               : 0;
}

/* What came for the message before that Ping; NULL for silence. */
static int quiet(struct probe_run *run, struct probe_message **came)
{
    struct reload_slice sent = sent_transaction(run);
    uint8_t *transaction = probe_memdup(sent.p, sent.n);
    const struct probe_link *link = probe_run_link(run);
    int status = ping_through(run);
    *came = answer_to(run, reload_slice_of(transaction, sent.n));
    if (status == 0 && (!link || link->closed))
        status = probe_step_fail(run, "the link was closed");
    free(transaction);
    return status;
}

static int step_silent(struct probe_run *run, const char *unused)
{
    struct probe_message *came;
    (void)unused;
    if (quiet(run, &came))
        return -1;
    return came ? wrong_code(run, came) : 0;
}

static int step_refused(struct probe_run *run, const char *unused)
{
    struct probe_message *came;
    (void)unused;
    if (quiet(run, &came))
        return -1;
    return came && !is_error(came) ? wrong_code(run, came) : 0;
}

int probe_step_closed(struct probe_run *run)
{
    const struct probe_actor *me = probe_run_actor(run, "me");
    uint64_t end = probe_now().monotonic_ms + PROBE_CLOSE_MS;
    if (!me || me->link_count == 0)
        return probe_step_fail(run, "there is no link");
    const struct probe_link *link = me->links[me->link_count - 1];
    while (!link->closed && !probe_step_past(end))
        probe_run_poll(run, 20);
    return link->closed ? 0 : probe_step_fail(run, "the link stays up");
}

static int step_closed(struct probe_run *run, const char *unused)
{
    (void)unused;
    return probe_step_closed(run);
}

static int step_alive(struct probe_run *run, const char *unused)
{
    (void)unused;
    probe_run_poll(run, 20); /* the link may just be closing */
    return ping_through(run);
}

static int step_check(struct probe_run *run, const char *words)
{
    char field[40];
    struct probe_fault why = { "" };
    size_t n = strcspn(words, " ");
    snprintf(field, sizeof field, "%.*s", (int)n, words);
    const struct reload_slice *slice = run->answer ? probe_message_field(run->answer, field) : NULL;
    if (!slice)
        return probe_fault_set(&run->fault, "check: no field %s", field);
    if (!probe_match(&run->names, &run->functions, words + n, *slice, &run->names, &why))
        return 0;
    return probe_fault_set(&run->fault, "%s: %s", field, why.text);
}

/* --- requests of the peer --- */

/* Among the first `count` messages that came. */
static struct probe_message *request_among(struct probe_run *run, size_t count, const char *method,
                                           const char *pattern, struct probe_fault *why)
{
    char name[60];
    struct reload_buffer code = { 0 };
    snprintf(name, sizeof name, "{%s.code}", method);
    if (probe_run_render(run, name, &code))
        return NULL;
    struct probe_message *found = NULL;
    for (size_t i = 0; i < count && !found; i++) {
        struct probe_message *m = run->messages[i];
        *why = (struct probe_fault){ "" };
        if (!m->taken && reload_slice_equal(m->code, probe_buffer_slice(&code)) &&
            !probe_match(&run->names, &run->functions, pattern, m->body, &run->names, why))
            found = m;
    }
    reload_buffer_free(&code);
    return found;
}

static struct probe_message *request_of(struct probe_run *run, const char *method,
                                        const char *pattern, struct probe_fault *why)
{
    return request_among(run, run->message_count, method, pattern, why);
}

/* The word before the pattern; where the pattern begins. */
static const char *method_of(const char *words, char method[METHOD_MAX])
{
    size_t n = strcspn(words, " ");
    snprintf(method, METHOD_MAX, "%.*s", (int)n, words);
    return words + n;
}

static int step_await(struct probe_run *run, const char *words)
{
    char method[METHOD_MAX];
    struct probe_fault why = { "" };
    const char *pattern = method_of(words, method);
    uint64_t end = probe_now().monotonic_ms + PROBE_ANSWER_MS;
    struct probe_message *m;
    while (!(m = request_of(run, method, pattern, &why)) && !probe_step_past(end) &&
           !run->fault.text[0])
        probe_run_poll(run, 20);
    if (!m)
        return probe_fault_set(&run->fault, "no such %s comes%s%s", method, why.text[0] ? "; " : "",
                               why.text);
    m->taken = true;
    run->answer = m;
    return 0;
}

static int step_earlier(struct probe_run *run, const char *words)
{
    char method[METHOD_MAX];
    struct probe_fault why = { "" };
    const char *pattern = method_of(words, method);
    size_t count = 0;
    while (count < run->message_count && run->messages[count] != run->answer)
        count++;
    if (request_among(run, count, method, pattern, &why))
        return 0;
    return probe_fault_set(&run->fault, "no such %s came before%s%s", method,
                           why.text[0] ? "; " : "", why.text);
}

static int step_none(struct probe_run *run, const char *method)
{
    struct probe_fault why = { "" };
    return request_of(run, method, "...", &why) ? probe_fault_set(&run->fault, "a %s came", method)
                                                : 0;
}

const struct probe_step probe_steps_answer[] = {
    { "alive", step_alive },     { "answered", step_answered }, { "await", step_await },
    { "check", step_check },     { "closed", step_closed },     { "earlier", step_earlier },
    { "error", step_error },     { "none", step_none },         { "ok", step_ok },
    { "refused", step_refused }, { "silent", step_silent },     { NULL, NULL },
};
