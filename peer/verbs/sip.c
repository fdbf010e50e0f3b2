#include <stdio.h>
#include <string.h>

#include "peer/verbs/own_node.h"

/* sip register, unregister, forward, lookup, gruu, message. */

static gboolean sip, sips, anew;
static char *type; /* of a message */

#define LIFETIME_ENTRY                                                                             \
    {                                                                                              \
        "lifetime", 0, 0, G_OPTION_ARG_STRING, &reload_query.lifetime,                             \
            "How long it holds without being refreshed (default 3600, from 60 to 2592000)",        \
            "SECONDS"                                                                              \
    }

static void print_registered(const json_t *a)
{
    printf("%s at %s: %s\n", reload_query_text(a, "aor"), reload_query_text(a, "node_id"),
           reload_query_text(a, "state"));
}

int reload_verb_sip_register(int argc, char **argv)
{
    static const GOptionEntry entries[] = {
        RELOAD_QUERY_ENTRIES,
        { "sip", 0, 0, G_OPTION_ARG_NONE, &sip, "Ask callers for SIP", NULL },
        { "sips", 0, 0, G_OPTION_ARG_NONE, &sips, "Ask callers for SIPS", NULL },
        { "node", 0, 0, G_OPTION_ARG_STRING, &reload_query.node,
          "Have another node take the calls (default: the running peer itself)", "NODE-ID" },
        LIFETIME_ENTRY,
        { 0 },
    };
    int code = reload_verb_options("sip register", entries, &argc, &argv, 0, 0);
    if (code == 0 && sip && sips)
        code = reload_verb_fail(RELOAD_EXIT_USAGE, "--sip and --sips exclude each other");
    if (code)
        return code;
    json_t *request = reload_query_request("sip_register");
    if (request && (sip || sips))
        json_object_set_new(request, "scheme", json_string(sips ? "sips" : "sip"));
    return reload_query_show(request, print_registered);
}

int reload_verb_sip_unregister(int argc, char **argv)
{
    static const GOptionEntry entries[] = { RELOAD_QUERY_ENTRIES, { 0 } };
    int code = reload_verb_options("sip unregister", entries, &argc, &argv, 0, 0);
    return code ? code
                : reload_query_show(reload_query_request("sip_unregister"), print_registered);
}

static json_t *with_text(json_t *request, const char *key, const char *value)
{
    json_t *text = json_string(value);
    if (request && !text) {
        reload_verb_fail(RELOAD_EXIT_USAGE, "%s is not UTF-8", key);
        json_decref(request);
        return NULL;
    }
    json_object_set_new(request, key, text);
    return request;
}

static json_t *with_uri(const char *verb, const char *uri)
{
    return with_text(reload_query_request(verb), "uri", uri);
}

int reload_verb_sip_forward(int argc, char **argv)
{
    static const GOptionEntry entries[] = { RELOAD_QUERY_ENTRIES, LIFETIME_ENTRY, { 0 } };
    int code = reload_verb_options("sip forward", entries, &argc, &argv, 1, 1);
    return code ? code : reload_query_show(with_uri("sip_forward", argv[1]), print_registered);
}

static void print_found(const json_t *a)
{
    size_t i, j;
    const json_t *target, *entry, *uri;
    json_array_foreach(json_object_get(a, "targets"), i, target)
    {
        json_array_foreach(json_object_get(target, "destination_list"), j, entry)
            printf("%s%s", j ? " > " : "", reload_query_text(entry, "id"));
        printf("%s%s%s\n", *reload_query_text(target, "scheme") ? ", asks for " : "",
               reload_query_text(target, "scheme"),
               json_is_true(json_object_get(target, "own")) ? ", this node" : "");
    }
    json_array_foreach(json_object_get(a, "externals"), i, uri)
        printf("elsewhere: %s\n", json_string_value(uri) ? json_string_value(uri) : "(no text)");
}

int reload_verb_sip_lookup(int argc, char **argv)
{
    static const GOptionEntry entries[] = {
        RELOAD_QUERY_ENTRIES,
        { "anew", 0, 0, G_OPTION_ARG_NONE, &anew, "Ask the overlay, whatever was found before",
          NULL },
        { 0 },
    };
    int code = reload_verb_options("sip lookup", entries, &argc, &argv, 1, 1);
    if (code)
        return code;
    json_t *request = with_uri("sip_lookup", argv[1]);
    if (request)
        json_object_set_new(request, "anew", json_boolean(anew));
    return reload_query_show(request, print_found);
}

static void print_gruu(const json_t *a)
{
    puts(reload_query_text(a, "gruu"));
}

int reload_verb_sip_gruu(int argc, char **argv)
{
    static const GOptionEntry entries[] = { RELOAD_QUERY_ENTRIES, { 0 } };
    int code = reload_verb_options("sip gruu", entries, &argc, &argv, 0, 0);
    return code ? code : reload_query_show(reload_query_request("sip_gruu"), print_gruu);
}

static void print_delivered(const json_t *a)
{
    printf("delivered: a device of %s has it\n", reload_query_text(a, "to"));
}

int reload_verb_sip_message(int argc, char **argv)
{
    static const GOptionEntry entries[] = {
        RELOAD_QUERY_ENTRIES,
        RELOAD_OWN_NODE_ENTRY,
        { "type", 0, 0, G_OPTION_ARG_STRING, &type, "What the text is (default: text/plain)",
          "MEDIA-TYPE" },
        { 0 },
    };
    int code = reload_verb_options("sip message", entries, &argc, &argv, 2, 2);
    if (code == 0)
        code = reload_own_node_start(false);
    if (code)
        return code;
    json_t *request = with_text(reload_query_request("sip_message"), "to", argv[1]);
    request = with_text(request, "text", argv[2]);
    if (type)
        request = with_text(request, "type", type);
    return reload_own_node_stop(reload_query_show(request, print_delivered));
}
