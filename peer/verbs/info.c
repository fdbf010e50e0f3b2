#include <stdio.h>
#include <string.h>

#include "peer/verbs/query.h"

/* status, links, ping, attach, trace, leave. */

/* What is known of the way to the outside; nothing in an overlay without ICE. */
static void print_outside(const json_t *a)
{
    const json_t *turn = json_object_get(a, "turn");
    const char *nat = reload_query_text(json_object_get(a, "stun"), "nat");
    if (strcmp(nat, "unknown") != 0)
        printf("  NAT        %s\n", nat);
    if (*reload_query_text(turn, "relay"))
        printf("  relay      %s\n", reload_query_text(turn, "relay"));
    if (*reload_query_text(turn, "offered"))
        printf("  offers     TURN at %s, %lld credentials handed out\n",
               reload_query_text(turn, "offered"), reload_query_number(turn, "granted"));
}

static void print_status(const json_t *a)
{
    const json_t *store = json_object_get(a, "store"), *messages = json_object_get(a, "messages");
    const json_t *links = json_object_get(a, "links");
    const char *reason;
    const json_t *count;
    printf("%s %s of %s: %s\n", reload_query_text(a, "role"), reload_query_text(a, "node_id"),
           reload_query_text(a, "overlay"), reload_query_text(a, "state"));
    if (*reload_query_text(a, "user"))
        printf("  user       %s\n", reload_query_text(a, "user"));
    printf("  owns       %.2f %% of the ring\n",
           (double)reload_query_number(a, "responsible_ppb") / 1e7);
    printf("  stores     %lld values of %lld resources, %lld bytes\n",
           reload_query_number(store, "values"), reload_query_number(store, "resources"),
           reload_query_number(store, "bytes"));
    printf("  links      %lld up, %lld accepted, %lld dialled so far\n",
           reload_query_number(links, "up"), reload_query_number(links, "accepted"),
           reload_query_number(links, "dialled"));
    print_outside(a);
    printf("  messages   %lld received, %lld sent, %lld forwarded\n",
           reload_query_number(messages, "received"), reload_query_number(messages, "sent"),
           reload_query_number(messages, "forwarded"));
    json_object_foreach(json_object_get(messages, "dropped"), reason, count)
        printf("  dropped    %lld: %s\n", (long long)json_integer_value(count), reason);
    printf("  document   sequence %lld\n", reload_query_number(a, "configuration_sequence"));
}

/* An expired certificate or document shows in the exit code too, for scripts. */
static int expired(const json_t *answer)
{
    long long now = (long long)reload_verb_unix_ms();
    const json_t *document = json_object_get(answer, "configuration_expires_ms");
    if (reload_query_number(answer, "certificate_expires_ms") < now)
        return reload_verb_fail(RELOAD_EXIT_EXPIRED,
                                "the node's certificate has expired; run reload enroll again");
    if (document && json_integer_value(document) < now)
        return reload_verb_fail(RELOAD_EXIT_EXPIRED,
                                "the configuration document has expired; its operator must sign a "
                                "new one");
    return RELOAD_EXIT_OK;
}

int reload_verb_status(int argc, char **argv)
{
    static const GOptionEntry entries[] = { RELOAD_QUERY_ENTRIES, { 0 } };
    json_t *answer;
    int code = reload_verb_options("status", entries, &argc, &argv, 0, 0);
    if (code == 0)
        code = reload_query_call(reload_query_request("status"), &answer);
    if (code)
        return code;
    bool joined = strcmp(reload_query_text(answer, "state"), "joined") == 0;
    code = expired(answer);
    if (code == 0 && !joined)
        code = RELOAD_EXIT_NOT_JOINED;
    if (reload_query.json) {
        reload_verb_print_json(answer);
    } else {
        print_status(answer);
        json_decref(answer);
    }
    return code;
}

static void print_ping(const json_t *a)
{
    printf("%s answered in %lld ms", reload_query_text(a, "node_id"),
           reload_query_number(a, "round_trip_ms"));
    if (reload_query_number(a, "hops"))
        printf(", %lld hops", reload_query_number(a, "hops"));
    putchar('\n');
}

/* A verb whose only argument is whom it is for. */
static int run_on_target(const char *verb, int argc, char **argv,
                         void (*print)(const json_t *answer))
{
    static const GOptionEntry entries[] = { RELOAD_QUERY_ENTRIES,
                                            RELOAD_QUERY_RESOURCE_ENTRIES,
                                            { 0 } };
    int code = reload_verb_options(verb, entries, &argc, &argv, 0, 1);
    if (code)
        return code;
    if (argc > 1)
        reload_query.node = argv[1];
    return reload_query_show(reload_query_request(verb), print);
}

int reload_verb_ping(int argc, char **argv)
{
    return run_on_target("ping", argc, argv, print_ping);
}

static void print_attach(const json_t *a)
{
    printf("linked to %s\n", reload_query_text(a, "node_id"));
}

int reload_verb_attach(int argc, char **argv)
{
    return run_on_target("attach", argc, argv, print_attach);
}

static void print_trace(const json_t *answer)
{
    size_t i;
    const json_t *hop;
    json_array_foreach(json_object_get(answer, "hops"), i, hop)
        printf("%3zu  %s  %lld ms\n", i, reload_query_text(hop, "node_id"),
               reload_query_number(hop, "round_trip_ms"));
}

int reload_verb_trace(int argc, char **argv)
{
    static const GOptionEntry entries[] = { RELOAD_QUERY_ENTRIES,
                                            RELOAD_QUERY_RESOURCE_ENTRIES,
                                            { 0 } };
    return reload_query_run("trace", entries, argc, argv, print_trace);
}

static void print_leave(const json_t *answer)
{
    (void)answer;
    puts("leaving");
}

int reload_verb_leave(int argc, char **argv)
{
    static const GOptionEntry entries[] = { RELOAD_QUERY_ENTRIES, { 0 } };
    return reload_query_run("leave", entries, argc, argv, print_leave);
}
