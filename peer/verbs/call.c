#include <stdio.h>
#include <string.h>

#include "media/device.h"
#include "peer/verbs/call_show.h"
#include "peer/verbs/interrupt.h"
#include "peer/verbs/own_node.h"
#include "reload/alloc.h"

/* sip call, answer, decline, hangup, hold, resume, move, press, calls. */

static struct {
    char *device, *play, *record;
    double seconds;
    gboolean busy;
    int call;
} o;

#define TALK_ENTRIES                                                                                \
    { "device",  0,                                                                                 \
      0,         G_OPTION_ARG_STRING,                                                               \
      &o.device, "What to speak and hear with (default: pulse); see reload audio devices",          \
      "DEVICE" },                                                                                   \
        { "play", 0, 0, G_OPTION_ARG_FILENAME, &o.play, "Say what is in this sound file", "FILE" }, \
        { "record",  0,                                                                             \
          0,         G_OPTION_ARG_FILENAME,                                                         \
          &o.record, "Record both sides: left what is said, right what is heard",                   \
          "FILE.wav" },                                                                             \
        { "seconds", 0, 0, G_OPTION_ARG_DOUBLE, &o.seconds, "Hang up after talking so long", "N" }, \
        RELOAD_OWN_NODE_ENTRY

#define CALL_ENTRY                                                                                 \
    {                                                                                              \
        "call", 0, 0, G_OPTION_ARG_INT, &o.call, "Which one (default: the only one)", "N"          \
    }

/* --- what goes into requests --- */

static int check_talk(void)
{
    if (o.play && o.device)
        return reload_verb_fail(RELOAD_EXIT_USAGE, "--play and --device exclude each other");
    if (o.seconds < 0)
        return reload_verb_fail(RELOAD_EXIT_USAGE, "--seconds must be more than 0");
    return 0;
}

/* The peer may run in another folder. */
static char *absolute(const char *path)
{
    return g_canonicalize_filename(path, NULL);
}

static void add_sound(json_t *request, const char *path)
{
    char *file = absolute(path), *spec = reload_media_file_spec(file);
    json_object_set_new(request, "device", json_string(spec));
    reload_free(spec);
    g_free(file);
}

static void add_recording(json_t *request, const char *path)
{
    char *file = absolute(path);
    json_object_set_new(request, "recording", json_string(file));
    g_free(file);
}

static json_t *talk_request(const char *verb)
{
    json_t *request = json_pack("{s:s,s:b}", "verb", verb, "bound", 1);
    if (o.play)
        add_sound(request, o.play);
    else if (o.device)
        json_object_set_new(request, "device", json_string(o.device));
    if (o.record)
        add_recording(request, o.record);
    return request;
}

static json_t *call_request(const char *verb)
{
    json_t *request = json_pack("{s:s}", "verb", verb);
    if (o.call)
        json_object_set_new(request, "call", json_integer(o.call));
    return request;
}

/* --- sip call --- */

static int talk(struct reload_control_client *client, json_t *request)
{
    const struct reload_call_show show = { client, o.seconds };
    json_t *answer;
    int code = reload_call_ask(client, request, &answer);
    if (code != 0)
        return code;
    long long call = reload_query_number(answer, "call");
    json_decref(answer);
    return reload_call_follow(&show, call);
}

static int call_out(const char *to)
{
    struct reload_control_client *client;
    int code = reload_call_connect(&client);
    if (code != 0)
        return code;
    json_t *request = talk_request("sip_call");
    json_object_set_new(request, "to", json_string(to));
    code = talk(client, request);
    reload_control_client_close(client);
    return code;
}

int reload_verb_sip_call(int argc, char **argv)
{
    static const GOptionEntry entries[] = { RELOAD_QUERY_ENTRIES, TALK_ENTRIES, { 0 } };
    int code = reload_verb_options("sip call", entries, &argc, &argv, 1, 1);
    if (code == 0)
        code = check_talk();
    if (code == 0)
        code = reload_own_node_start(false);
    if (code != 0)
        return code;
    reload_interrupt_catch();
    return reload_own_node_stop(call_out(argv[1]));
}

/* --- sip answer --- */

static bool rings(const json_t *call)
{
    return strcmp(reload_query_text(call, "state"), "offered") == 0;
}

static long long ringing_now(struct reload_control_client *client, int *code)
{
    json_t *answer;
    size_t i;
    const json_t *call;
    long long found = 0;
    *code = reload_call_ask(client, json_pack("{s:s}", "verb", "sip_calls"), &answer);
    if (*code != 0)
        return 0;
    json_array_foreach(json_object_get(answer, "calls"), i, call) if (rings(call)) found =
        reload_query_number(call, "call");
    json_decref(answer);
    return found;
}

/* The call that rings, or the next one that does. 0: *code tells. */
static long long wait_for_call(struct reload_control_client *client, int *code)
{
    long long found = o.call ? o.call : ringing_now(client, code);
    if (!found && *code == 0 && !reload_query.json)
        puts("waiting for a call"), fflush(stdout);
    while (!found && *code == 0 && !reload_interrupted()) {
        json_t *event = reload_call_next(client, RELOAD_INTERRUPT_STEP_MS, code);
        if (event && rings(event))
            found = reload_query_number(event, "call");
        json_decref(event);
    }
    if (!found && *code == 0)
        *code = RELOAD_EXIT_FAILURE;
    return found;
}

static int call_in(void)
{
    struct reload_control_client *client;
    int code = reload_call_connect(&client);
    if (code != 0)
        return code;
    long long call = wait_for_call(client, &code);
    if (call) {
        json_t *request = talk_request("sip_answer");
        json_object_set_new(request, "call", json_integer(call));
        code = talk(client, request);
    }
    reload_control_client_close(client);
    return code;
}

int reload_verb_sip_answer(int argc, char **argv)
{
    static const GOptionEntry entries[] = { RELOAD_QUERY_ENTRIES, TALK_ENTRIES, CALL_ENTRY, { 0 } };
    int code = reload_verb_options("sip answer", entries, &argc, &argv, 0, 0);
    if (code == 0)
        code = check_talk();
    if (code == 0)
        code = reload_own_node_start(true);
    if (code != 0)
        return code;
    reload_interrupt_catch();
    return reload_own_node_stop(call_in());
}

/* --- what is done to a call --- */

static void print_done(const json_t *answer)
{
    printf("call %lld\n", reload_query_number(answer, "call"));
}

static int change(const char *name, int argc, char **argv, json_t *(*request)(char **argv),
                  int operands)
{
    static const GOptionEntry entries[] = { RELOAD_QUERY_ENTRIES, CALL_ENTRY, { 0 } };
    int code = reload_verb_options(name, entries, &argc, &argv, operands, operands);
    return code ? code : reload_query_show(request(argv), print_done);
}

static json_t *hangup_request(char **argv)
{
    (void)argv;
    return call_request("sip_hangup");
}

static json_t *hold_request(char **argv)
{
    (void)argv;
    json_t *request = call_request("sip_hold");
    json_object_set_new(request, "on", json_true());
    return request;
}

static json_t *resume_request(char **argv)
{
    (void)argv;
    json_t *request = call_request("sip_hold");
    json_object_set_new(request, "on", json_false());
    return request;
}

static json_t *move_request(char **argv)
{
    (void)argv;
    return call_request("sip_move");
}

static json_t *press_request(char **argv)
{
    json_t *request = call_request("sip_press");
    json_object_set_new(request, "keys", json_string(argv[1]));
    return request;
}

int reload_verb_sip_hangup(int argc, char **argv)
{
    return change("sip hangup", argc, argv, hangup_request, 0);
}

int reload_verb_sip_hold(int argc, char **argv)
{
    return change("sip hold", argc, argv, hold_request, 0);
}

int reload_verb_sip_resume(int argc, char **argv)
{
    return change("sip resume", argc, argv, resume_request, 0);
}

int reload_verb_sip_move(int argc, char **argv)
{
    return change("sip move", argc, argv, move_request, 0);
}

int reload_verb_sip_press(int argc, char **argv)
{
    return change("sip press", argc, argv, press_request, 1);
}

int reload_verb_sip_decline(int argc, char **argv)
{
    static const GOptionEntry entries[] = {
        RELOAD_QUERY_ENTRIES,
        CALL_ENTRY,
        { "busy", 0, 0, G_OPTION_ARG_NONE, &o.busy, "Say busy instead of declined", NULL },
        { 0 },
    };
    int code = reload_verb_options("sip decline", entries, &argc, &argv, 0, 0);
    if (code)
        return code;
    json_t *request = call_request("sip_decline");
    if (o.busy)
        json_object_set_new(request, "status", json_integer(486));
    return reload_query_show(request, print_done);
}

static void print_calls(const json_t *answer)
{
    size_t i;
    const json_t *call;
    json_array_foreach(json_object_get(answer, "calls"), i, call) reload_call_print(call);
}

int reload_verb_sip_calls(int argc, char **argv)
{
    static const GOptionEntry entries[] = { RELOAD_QUERY_ENTRIES, { 0 } };
    int code = reload_verb_options("sip calls", entries, &argc, &argv, 0, 0);
    return code ? code : reload_query_show(call_request("sip_calls"), print_calls);
}
