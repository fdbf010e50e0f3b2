#include "peer/verbs/call_show.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "peer/verbs/interrupt.h"

#define WIDTH       78
#define LEVEL_DB    60  /* what the meter spans below full scale */
#define FAREWELL_MS 700 /* for the far end to answer when this one has ended the call */

static GQueue kept = G_QUEUE_INIT; /* of json_t: events that came before an answer */

/* --- the control socket --- */

static int lost(void)
{
    return reload_verb_fail(RELOAD_EXIT_NOT_JOINED, "the peer has ended; see its log");
}

int reload_call_connect(struct reload_control_client **out)
{
    json_t *answer;
    int code = reload_query_open(out);
    if (code != 0)
        return code;
    code = reload_call_ask(*out, json_pack("{s:s}", "verb", "subscribe"), &answer);
    if (code == 0)
        json_decref(answer);
    else
        reload_control_client_close(*out);
    return code;
}

int reload_call_ask(struct reload_control_client *client, json_t *request, json_t **answer)
{
    if (reload_control_client_send(client, request) != 0)
        return lost();
    while (reload_control_client_next(client, -1, answer) == 0) {
        if (!json_object_get(*answer, "event"))
            return json_is_true(json_object_get(*answer, "ok")) ? 0 : reload_query_refused(*answer);
        g_queue_push_tail(&kept, *answer);
    }
    return lost();
}

static bool is_of_call(const json_t *line)
{
    return json_object_get(line, "event") && json_object_get(line, "call");
}

json_t *reload_call_next(struct reload_control_client *client, int timeout_ms, int *code)
{
    json_t *line;
    int error;
    while ((line = g_queue_pop_head(&kept)) ||
           (error = reload_control_client_next(client, timeout_ms, &line)) == 0) {
        if (is_of_call(line))
            return line;
        json_decref(line);
    }
    *code = error == RELOAD_E_TIMEOUT ? 0 : lost();
    return NULL;
}

/* --- for people --- */

static double number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

static void meter(double dbov, char *out, size_t cells)
{
    double full = (dbov + LEVEL_DB) / LEVEL_DB * (double)cells;
    for (size_t i = 0; i < cells; i++)
        out[i] = (double)i + 0.5 < full ? '#' : '.';
    out[cells] = '\0';
}

static void print_quality(const json_t *call)
{
    const json_t *q = json_object_get(call, "quality");
    char said[11], heard[11];
    meter(number(q, "said_dbov"), said, sizeof said - 1);
    meter(number(q, "heard_dbov"), heard, sizeof heard - 1);
    printf("you %s  they %s  loss %.1f %%  jitter %.0f ms  delay %.0f ms", said, heard,
           100 * number(q, "loss"), number(q, "jitter_ms"),
           number(q, "round_trip_ms") / 2 + number(q, "playout_ms") + number(q, "voice_ms"));
}

void reload_call_print(const json_t *call)
{
    printf("%lld  %s %s  %s%s  ", reload_query_number(call, "call"),
           strcmp(reload_query_text(call, "direction"), "in") == 0 ? "from" : "to",
           reload_query_text(call, "with"), reload_query_text(call, "state"),
           json_is_true(json_object_get(call, "held")) ? ", held" : "");
    print_quality(call);
    putchar('\n');
}

static void clear_line(void)
{
    if (isatty(STDOUT_FILENO))
        printf("\r%*s\r", WIDTH, "");
}

/* "bob@example.org: ended: they are busy. Try again later (486)" */
static void print_state(const json_t *event)
{
    const char *reason = reload_query_text(event, "reason");
    long long status = reload_query_number(event, "status");
    clear_line();
    printf("%s: %s%s%s", reload_query_text(event, "with"), reload_query_text(event, "state"),
           *reason ? ": " : "", reason);
    if (status >= 300)
        printf(" (%lld)", status);
    putchar('\n');
    fflush(stdout);
}

static void print_event(const json_t *event)
{
    const char *name = reload_query_text(event, "event");
    if (reload_query.json)
        reload_verb_print_json(json_deep_copy(event));
    else if (strcmp(name, "call") == 0)
        print_state(event);
    else if (strcmp(name, "call_key") == 0)
        printf("key %s\n", reload_query_text(event, "key"));
    else if (strcmp(name, "call_recording") == 0)
        puts(reload_query_text(event, "reason"));
}

/* --- from beginning to end --- */

struct following {
    const struct reload_call_show *show;
    long long call;
    gint64 established_us; /* 0: not yet */
    bool hung_up;          /* by this verb */
    gint64 over_us;        /* this end has ended it; 0: not yet */
    int code;
};

static json_t *request_of(const struct following *f, const char *verb)
{
    return json_pack("{s:s,s:I}", "verb", verb, "call", (json_int_t)f->call);
}

static void hang_up(struct following *f)
{
    json_t *answer;
    f->hung_up = true;
    f->over_us = g_get_monotonic_time();
    if (reload_call_ask(f->show->client, request_of(f, "sip_hangup"), &answer) == 0)
        json_decref(answer);
}

static void refresh(struct following *f)
{
    json_t *answer;
    size_t i;
    const json_t *call;
    if (reload_query.json || !isatty(STDOUT_FILENO) || !f->established_us || f->over_us)
        return;
    if (reload_call_ask(f->show->client, json_pack("{s:s}", "verb", "sip_calls"), &answer) != 0)
        return;
    json_array_foreach(json_object_get(answer, "calls"), i, call)
    {
        if (reload_query_number(call, "call") != f->call)
            continue;
        putchar('\r');
        print_quality(call);
        fflush(stdout);
    }
    json_decref(answer);
}

static int exit_code(const json_t *event)
{
    static const char *const talked[] = { "hung_up", "they_hung_up" };
    for (size_t i = 0; i < G_N_ELEMENTS(talked); i++)
        if (strcmp(reload_query_text(event, "cause"), talked[i]) == 0)
            return RELOAD_EXIT_OK;
    return reload_query_number(event, "status") == 403 ? RELOAD_EXIT_REFUSED : RELOAD_EXIT_FAILURE;
}

/* False when the call has ended. */
static bool take(struct following *f, const json_t *event)
{
    if (reload_query_number(event, "call") != f->call)
        return true;
    print_event(event);
    if (strcmp(reload_query_text(event, "event"), "call") != 0)
        return true;
    const char *state = reload_query_text(event, "state");
    if (strcmp(state, "established") == 0)
        f->established_us = g_get_monotonic_time();
    if (!f->over_us && (strcmp(state, "closing") == 0 || strcmp(state, "cancelling") == 0))
        f->over_us = g_get_monotonic_time();
    if (strcmp(state, "ended") != 0)
        return true;
    f->code = exit_code(event);
    return false;
}

static bool farewell_is_over(struct following *f)
{
    if (!f->over_us || g_get_monotonic_time() - f->over_us < FAREWELL_MS * 1000)
        return false;
    f->code = f->hung_up && f->established_us ? RELOAD_EXIT_OK : RELOAD_EXIT_FAILURE;
    if (!reload_query.json)
        puts("the far end did not answer to that");
    return true;
}

static bool talked_enough(const struct following *f)
{
    return f->show->talk_s > 0 && f->established_us &&
           (double)(g_get_monotonic_time() - f->established_us) > f->show->talk_s * G_USEC_PER_SEC;
}

int reload_call_follow(const struct reload_call_show *show, long long call)
{
    struct following f = { .show = show, .call = call };
    for (bool goes_on = true; goes_on;) {
        json_t *event = reload_call_next(show->client, RELOAD_INTERRUPT_STEP_MS, &f.code);
        if (event) {
            goes_on = take(&f, event);
            json_decref(event);
        } else if (f.code != 0) {
            return f.code;
        }
        if (goes_on && !f.over_us && (reload_interrupted() || talked_enough(&f)))
            hang_up(&f);
        goes_on = goes_on && !farewell_is_over(&f);
        if (goes_on && !event)
            refresh(&f);
    }
    return f.code;
}
