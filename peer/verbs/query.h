#ifndef PEER_VERBS_QUERY_H
#define PEER_VERBS_QUERY_H

#include "peer/control_client.h"
#include "peer/verbs/verbs.h"

/* What the verbs that ask a running peer have in common. */

struct reload_query_options {
    char *control;
    gboolean json;
    /* which resource, and where in it */
    char *kind, *name, *user, *resource, *node, *key, *key_hex;
    char *i, *index, *generation, *lifetime; /* numbers as written; NULL: not given */
};
extern struct reload_query_options reload_query;

#define RELOAD_QUERY_ENTRIES                                                                       \
    { "control",                                                                                   \
      0,                                                                                           \
      0,                                                                                           \
      G_OPTION_ARG_FILENAME,                                                                       \
      &reload_query.control,                                                                       \
      "Control socket of the running peer (default: $RELOAD_CONTROL)",                             \
      "SOCKET" },                                                                                  \
    {                                                                                              \
        "json", 0, 0, G_OPTION_ARG_NONE, &reload_query.json, "Print JSON", NULL                    \
    }

#define RELOAD_QUERY_RESOURCE_ENTRIES                                                                   \
    {                                                                                                   \
        "name", 0, 0, G_OPTION_ARG_STRING, &reload_query.name, "Resource Name (it is hashed)",          \
        "TEXT"                                                                                          \
    },                                                                                                  \
        { "user", 0, 0, G_OPTION_ARG_STRING, &reload_query.user, "The resource of this user", "USER" }, \
        { "resource", 0, 0, G_OPTION_ARG_STRING, &reload_query.resource, "Resource-ID", "HEX" },        \
        { "node", 0, 0, G_OPTION_ARG_STRING, &reload_query.node, "Node-ID, or its resource", "HEX" },   \
    {                                                                                                   \
        "i", 0, 0, G_OPTION_ARG_STRING, &reload_query.i,                                                \
            "Which place of the node, for NODE-MULTIPLE", "N"                                           \
    }

#define RELOAD_QUERY_PLACE_ENTRIES                                                                 \
    { "kind", 0, 0, G_OPTION_ARG_STRING, &reload_query.kind, "Kind-ID or name", "KIND" },          \
        RELOAD_QUERY_RESOURCE_ENTRIES,                                                             \
        { "index", 0, 0, G_OPTION_ARG_STRING, &reload_query.index, "Array index", "N" },           \
        { "key", 0, 0, G_OPTION_ARG_STRING, &reload_query.key, "Dictionary key", "TEXT" },         \
        { "key-hex",                                                                               \
          0,                                                                                       \
          0,                                                                                       \
          G_OPTION_ARG_STRING,                                                                     \
          &reload_query.key_hex,                                                                   \
          "Dictionary key as hexadecimal",                                                         \
          "HEX" },                                                                                 \
    {                                                                                              \
        "generation", 0, 0, G_OPTION_ARG_STRING, &reload_query.generation,                         \
            "Generation counter that must hold", "N"                                               \
    }

/* A request with what the options say. NULL after an error was printed (usage). */
json_t *reload_query_request(const char *verb);
/* Connects to the running peer. An exit code, after the error was printed. */
int reload_query_open(struct reload_control_client **client);
int reload_query_exit_code(const json_t *answer); /* what an answer means for the program */
/* Sends it (taken) to the peer and waits. 0 and *answer, or an exit code after the error was
 * printed (with --json the answer itself, when there is one). */
int reload_query_call(json_t *request, json_t **answer);
/* Prints what an answer that is not "ok" says, with --json the answer itself; takes it. Its exit
 * code. */
int reload_query_refused(json_t *answer);
/* Sends it (taken; NULL is wrong usage that was told) and shows the answer to people with `print`,
 * or as JSON. An exit code. */
int reload_query_show(json_t *request, void (*print)(const json_t *answer));
/* The whole of a simple verb: options, request, answer; `print` shows it to people. */
int reload_query_run(const char *verb, const GOptionEntry *entries, int argc, char **argv,
                     void (*print)(const json_t *answer));

/* "" when absent. Tamed: another node may have said it. */
const char *reload_query_text(const json_t *object, const char *key);
long long reload_query_number(const json_t *object, const char *key);

#endif
