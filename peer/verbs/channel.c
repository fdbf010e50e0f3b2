#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "peer/verbs/pump.h"
#include "peer/verbs/query.h"

/* connect and listen. Standard output is the channel's; what happens is told on standard error. */

#define PIECE      16384
#define LINGER_S   1
#define LINGER_MAX 3600

static gint linger_s = LINGER_S;

/* --- what is told --- */

static void tell(json_t *event)
{
    if (reload_query.json) {
        json_dumpf(event, stderr, JSON_COMPACT);
        fputc('\n', stderr);
    }
    json_decref(event);
}

static void tell_opened(const json_t *channel)
{
    if (!reload_query.json)
        fprintf(stderr, "reload: channel with %s over %s, %s%s\n",
                reload_query_text(channel, "node_id"), reload_query_text(channel, "protocol"),
                reload_query_text(channel, "remote"),
                json_is_true(json_object_get(channel, "relayed")) ? ", relayed" : "");
    json_t *event = json_copy((json_t *)(uintptr_t)channel);
    json_object_del(event, "ok");
    json_object_del(event, "descriptor");
    json_object_set_new(event, "event", json_string("opened"));
    tell(event);
}

/* An exit code. */
static int tell_failed(int code, const json_t *answer)
{
    json_t *event = json_copy((json_t *)(uintptr_t)answer);
    json_object_set_new(event, "event", json_string("failed"));
    if (!reload_query.json)
        reload_verb_fail(code, "%s", reload_query_text(answer, "error"));
    tell(event);
    return code;
}

static int tell_closed(json_t *closed)
{
    bool ok = json_is_true(json_object_get(closed, "ok"));
    json_object_set_new(closed, "event", json_string("closed"));
    if (!ok && !reload_query.json)
        reload_verb_fail(RELOAD_EXIT_FAILURE, "the channel broke: %s",
                         reload_query_text(closed, "reason"));
    tell(closed);
    return ok ? RELOAD_EXIT_OK : RELOAD_EXIT_FAILURE;
}

/* --- the peer --- */

/* A line that is no answer: the next event of that name. An exit code. */
static int next_event(struct reload_control_client *client, const char *name, json_t **out)
{
    while (reload_control_client_next(client, -1, out) == 0) {
        if (strcmp(reload_query_text(*out, "event"), name) == 0)
            return RELOAD_EXIT_OK;
        json_decref(*out);
    }
    return reload_verb_fail(RELOAD_EXIT_NOT_JOINED, "the peer has ended; see its log");
}

/* Asks (the request is taken) and keeps the connection. An exit code, told. */
static int ask(json_t *request, struct reload_control_client **client, json_t **answer)
{
    int code = reload_query_open(client);
    if (code) {
        json_decref(request);
        return code;
    }
    if (reload_control_client_call(*client, request, answer))
        code = reload_verb_fail(RELOAD_EXIT_NOT_JOINED,
                                "the peer ended before it answered; see its log");
    else if ((code = reload_query_exit_code(*answer)) != 0) {
        tell_failed(code, *answer);
        json_decref(*answer);
    }
    if (code)
        reload_control_client_close(*client);
    return code;
}

static json_t *channel_request(const char *verb, const char *application)
{
    char *end;
    long number = strtol(application, &end, 0);
    if (end != application && !*end && number >= 1 && number <= UINT16_MAX)
        return json_pack("{s:s,s:I}", "verb", verb, "application", (json_int_t)number);
    reload_verb_fail(RELOAD_EXIT_USAGE, "%s: an Application-ID is a number from 1 to 65535",
                     application);
    return NULL;
}

/* --- standard input and output --- */

/* `opened` came with the channel's descriptor. An exit code, told. */
static int pump(struct reload_control_client *client, const json_t *opened)
{
    struct reload_pump how = { .fd = reload_control_client_descriptor(client),
                               .datagrams = json_is_true(json_object_get(opened, "datagrams")),
                               .piece = PIECE,
                               .linger_s = (unsigned)linger_s };
    json_t *closed;
    if (how.fd < 0)
        return reload_verb_fail(RELOAD_EXIT_FAILURE, "no descriptor left for the channel");
    if (how.datagrams) /* none that IP would have to cut */
        how.piece = (size_t)MIN(reload_query_number(opened, "longest_datagram"), PIECE);
    tell_opened(opened);
    int code = reload_pump_run(&how);
    if (code == 0)
        code = next_event(client, "channel_closed", &closed);
    return code ? code : tell_closed(closed);
}

#define LINGER_ENTRY                                                                               \
    {                                                                                              \
        "linger", 0, 0, G_OPTION_ARG_INT, &linger_s,                                               \
            "Datagrams: how long without one ends the channel once standard input has ended "      \
            "(default 1)",                                                                         \
            "SECONDS"                                                                              \
    }

static int check_linger(void)
{
    if (linger_s >= 0 && linger_s <= LINGER_MAX)
        return RELOAD_EXIT_OK;
    return reload_verb_fail(RELOAD_EXIT_USAGE, "--linger is from 0 to %d", LINGER_MAX);
}

int reload_verb_connect(int argc, char **argv)
{
    static const GOptionEntry entries[] = { RELOAD_QUERY_ENTRIES, LINGER_ENTRY, { 0 } };
    struct reload_control_client *client;
    json_t *answer;
    int code = reload_verb_options("connect", entries, &argc, &argv, 2, 2);
    if (code == 0)
        code = check_linger();
    if (code)
        return code;
    json_t *request = channel_request("connect", argv[2]);
    if (!request)
        return RELOAD_EXIT_USAGE;
    json_object_set_new(request, "node", json_string(argv[1]));
    code = ask(request, &client, &answer);
    if (code)
        return code;
    code = pump(client, answer);
    json_decref(answer);
    reload_control_client_close(client);
    return code;
}

/* --- a command for each channel --- */

/* The command has the channel as its standard input and output. */
static void run_command(struct reload_control_client *client, char **command, const json_t *opened)
{
    GError *error = NULL;
    int in = reload_control_client_descriptor(client);
    int out = in < 0 ? -1 : dup(in);
    char application[8];
    g_snprintf(application, sizeof application, "%lld", reload_query_number(opened, "application"));
    char **environment = g_environ_setenv(g_get_environ(), "RELOAD_NODE_ID",
                                          reload_query_text(opened, "node_id"), TRUE);
    environment = g_environ_setenv(environment, "RELOAD_APPLICATION", application, TRUE);
    tell_opened(opened);
    if (out < 0)
        reload_verb_fail(0, "no descriptor left for the channel");
    else if (!g_spawn_async_with_fds(NULL, command, environment, G_SPAWN_SEARCH_PATH, NULL, NULL,
                                     NULL, in, out, -1, &error)) {
        reload_verb_fail(0, "%s", error->message);
        g_error_free(error);
    }
    g_strfreev(environment);
    if (in >= 0)
        close(in);
    if (out >= 0)
        close(out);
}

/* Until the peer ends. */
static int serve(struct reload_control_client *client, char **command)
{
    json_t *event;
    while (reload_control_client_next(client, -1, &event) == 0) {
        const char *name = reload_query_text(event, "event");
        if (strcmp(name, "channel") == 0)
            run_command(client, command, event);
        if (strcmp(name, "channel_closed") == 0)
            tell_closed(event);
        else
            json_decref(event);
    }
    return reload_verb_fail(RELOAD_EXIT_NOT_JOINED, "the peer has ended; see its log");
}

static int serve_one(struct reload_control_client *client)
{
    json_t *opened;
    int code = next_event(client, "channel", &opened);
    if (code)
        return code;
    code = pump(client, opened);
    json_decref(opened);
    return code;
}

static void tell_listening(const json_t *answer)
{
    long long application = reload_query_number(answer, "application");
    if (!reload_query.json)
        fprintf(stderr, "reload: listening for application %lld\n", application);
    tell(json_pack("{s:s,s:I}", "event", "listening", "application", (json_int_t)application));
}

int reload_verb_listen(int argc, char **argv)
{
    static const GOptionEntry entries[] = { RELOAD_QUERY_ENTRIES, LINGER_ENTRY, { 0 } };
    struct reload_control_client *client;
    json_t *answer;
    int code = reload_verb_options("listen", entries, &argc, &argv, 1, G_MAXINT);
    if (code == 0)
        code = check_linger();
    if (code)
        return code;
    char **command = argc > 2 ? argv + 2 : NULL;
    if (command && strcmp(command[0], "--") == 0)
        command++;
    json_t *request = channel_request("listen", argv[1]);
    if (!request)
        return RELOAD_EXIT_USAGE;
    json_object_set_new(request, "once", json_boolean(!command));
    code = ask(request, &client, &answer);
    if (code)
        return code;
    tell_listening(answer);
    json_decref(answer);
    code = command ? serve(client, command) : serve_one(client);
    reload_control_client_close(client);
    return code;
}
