#include "peer/verbs/query.h"

#include <stdlib.h>
#include <string.h>

#include "peer/verbs/interrupt.h"

struct reload_query_options reload_query;

const char *reload_query_text(const json_t *object, const char *key)
{
    json_t *string = json_object_get(object, key);
    char *tame = g_strdup(json_string_value(string));
    if (tame && reload_verb_tame(tame))
        json_string_set(string, tame);
    g_free(tame);
    const char *text = json_string_value(string);
    return text ? text : "";
}

long long reload_query_number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static bool add_number(json_t *request, const char *key, const char *text)
{
    char *end;
    if (!text)
        return true;
    errno = 0;
    long long number = strtoll(text, &end, 0);
    if (errno || end == text || *end || number < 0) {
        reload_verb_fail(RELOAD_EXIT_USAGE, "--%s %s: not a number", key, text);
        return false;
    }
    json_object_set_new(request, key, json_integer(number));
    return true;
}

static void add_text(json_t *request, const char *key, const char *text)
{
    if (text)
        json_object_set_new(request, key, json_string(text));
}

json_t *reload_query_request(const char *verb)
{
    const struct reload_query_options *q = &reload_query;
    json_t *request = json_pack("{s:s}", "verb", verb);
    add_text(request, "kind", q->kind);
    add_text(request, "name", q->name);
    add_text(request, "user", q->user);
    add_text(request, "resource", q->resource);
    add_text(request, "node", q->node);
    add_text(request, "key", q->key);
    add_text(request, "key_hex", q->key_hex);
    if (add_number(request, "i", q->i) && add_number(request, "index", q->index) &&
        add_number(request, "generation", q->generation) &&
        add_number(request, "lifetime", q->lifetime))
        return request;
    json_decref(request);
    return NULL;
}

int reload_query_exit_code(const json_t *answer)
{
    static const struct {
        const char *name;
        int code;
    } codes[] = { { "usage", RELOAD_EXIT_USAGE },
                  { "not_joined", RELOAD_EXIT_NOT_JOINED },
                  { "refused", RELOAD_EXIT_REFUSED },
                  { "expired", RELOAD_EXIT_EXPIRED } };
    const char *name = reload_query_text(answer, "code");
    if (json_is_true(json_object_get(answer, "ok")))
        return RELOAD_EXIT_OK;
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++)
        if (strcmp(codes[i].name, name) == 0)
            return codes[i].code;
    return RELOAD_EXIT_FAILURE;
}

int reload_query_open(struct reload_control_client **client)
{
    const char *path = reload_query.control ? reload_query.control : g_getenv("RELOAD_CONTROL");
    struct reload_cert_reason reason = { "" };
    if (!path)
        return reload_verb_fail(RELOAD_EXIT_USAGE,
                                "--control SOCKET is missing: the running peer's control socket");
    int error = reload_control_client_open(path, client, &reason);
    if (!error)
        return RELOAD_EXIT_OK;
    int code = error == RELOAD_E_NOT_FOUND || error == RELOAD_E_CLOSED
                   ? RELOAD_EXIT_NOT_JOINED
                   : reload_verb_exit_code(error);
    return reload_verb_fail(code, "%s", reason.text);
}

int reload_query_refused(json_t *answer)
{
    int code = reload_query_exit_code(answer);
    reload_verb_fail(code, "%s", reload_query_text(answer, "error"));
    if (reload_query.json)
        reload_verb_print_json(answer);
    else
        json_decref(answer);
    return code;
}

/* However long it takes, unless the verb is interrupted. */
static int wait_for_answer(struct reload_control_client *client, json_t **answer)
{
    int error;
    do
        error = reload_control_client_next(client, RELOAD_INTERRUPT_STEP_MS, answer);
    while (error == RELOAD_E_TIMEOUT && !reload_interrupted());
    return error;
}

int reload_query_call(json_t *request, json_t **answer)
{
    struct reload_control_client *client;
    int code = reload_query_open(&client);
    if (code) {
        json_decref(request);
        return code;
    }
    int error = reload_control_client_send(client, request);
    if (!error)
        error = wait_for_answer(client, answer);
    reload_control_client_close(client);
    if (error == RELOAD_E_TIMEOUT)
        return reload_verb_fail(RELOAD_EXIT_FAILURE, "interrupted");
    if (error)
        return reload_verb_fail(RELOAD_EXIT_NOT_JOINED,
                                "the peer ended before it answered; see its log");
    return reload_query_exit_code(*answer) ? reload_query_refused(*answer) : 0;
}

int reload_query_show(json_t *request, void (*print)(const json_t *answer))
{
    json_t *answer;
    int code = request ? reload_query_call(request, &answer) : RELOAD_EXIT_USAGE;
    if (code)
        return code;
    if (reload_query.json) {
        reload_verb_print_json(answer);
    } else {
        print(answer);
        json_decref(answer);
    }
    return 0;
}

int reload_query_run(const char *verb, const GOptionEntry *entries, int argc, char **argv,
                     void (*print)(const json_t *answer))
{
    int code = reload_verb_options(verb, entries, &argc, &argv, 0, 0);
    return code ? code : reload_query_show(reload_query_request(verb), print);
}
