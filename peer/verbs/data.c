#include <stdio.h>
#include <string.h>

#include "certs/file.h"
#include "peer/json.h"
#include "peer/verbs/query.h"

/* store, remove, fetch, stat, find. */

static gboolean hex;

static void print_stored(const json_t *a)
{
    printf("%s at %s, generation %lld, %zu replicas\n", reload_query_text(a, "resource"),
           reload_query_text(a, "node_id"), reload_query_number(a, "generation"),
           json_array_size(json_object_get(a, "replicas")));
}

static int add_file(json_t *request, const char *path)
{
    struct reload_cert_bytes bytes = { 0 };
    struct reload_cert_reason reason = { "" };
    int error = reload_cert_file_read(path, &bytes, &reason);
    if (error)
        return reload_verb_refuse(error, path, &reason);
    json_object_set_new(request, "value_hex", reload_json_hex(reload_cert_bytes_slice(&bytes)));
    reload_cert_bytes_fini(&bytes);
    return 0;
}

/* A value is text, @FILE, or with --hex hexadecimal. */
static int add_value(json_t *request, const char *value)
{
    if (hex)
        return json_object_set_new(request, "value_hex", json_string(value));
    if (value[0] == '@')
        return add_file(request, value + 1);
    /* a command line need not be UTF-8 */
    return json_object_set_new(request, "value_hex",
                               reload_json_hex(reload_slice_of(value, strlen(value))));
}

static int finish(json_t *request)
{
    json_t *answer;
    int code = reload_query_call(request, &answer);
    if (code)
        return code;
    if (reload_query.json) {
        reload_verb_print_json(answer);
    } else {
        print_stored(answer);
        json_decref(answer);
    }
    return 0;
}

int reload_verb_store(int argc, char **argv)
{
    static const GOptionEntry entries[] = {
        RELOAD_QUERY_ENTRIES,
        RELOAD_QUERY_PLACE_ENTRIES,
        { "lifetime", 0, 0, G_OPTION_ARG_STRING, &reload_query.lifetime,
          "How long it is kept (default 86400)", "SECONDS" },
        { "hex", 0, 0, G_OPTION_ARG_NONE, &hex, "VALUE is hexadecimal (else text, or @FILE)",
          NULL },
        { 0 },
    };
    int code = reload_verb_options("store", entries, &argc, &argv, 1, 1);
    if (code)
        return code;
    json_t *request = reload_query_request("store");
    code = request ? add_value(request, argv[1]) : RELOAD_EXIT_USAGE;
    if (code) {
        json_decref(request);
        return code;
    }
    return finish(request);
}

int reload_verb_remove(int argc, char **argv)
{
    static const GOptionEntry entries[] = { RELOAD_QUERY_ENTRIES,
                                            RELOAD_QUERY_PLACE_ENTRIES,
                                            { 0 } };
    return reload_query_run("remove", entries, argc, argv, print_stored);
}

/* --- fetch --- */

static void print_bytes(const json_t *value)
{
    bool is_text = json_object_get(value, "text") != NULL;
    printf("%s", reload_query_text(value, is_text ? "text" : "hex"));
}

static void print_values(const json_t *answer)
{
    size_t i, shown = 0;
    const json_t *v;
    json_array_foreach(json_object_get(answer, "values"), i, v)
    {
        if (!json_is_true(json_object_get(v, "exists")))
            continue;
        if (json_object_get(v, "index"))
            printf("[%lld] ", reload_query_number(v, "index"));
        if (json_object_get(v, "key")) {
            print_bytes(json_object_get(v, "key"));
            printf(" = ");
        }
        print_bytes(json_object_get(v, "value"));
        putchar('\n');
        shown++;
    }
    if (shown == 0)
        fprintf(stderr, "reload: nothing is stored there\n");
    if (reload_query_number(answer, "rejected"))
        fprintf(stderr, "reload: %lld values were left out: their signatures do not hold\n",
                reload_query_number(answer, "rejected"));
}

int reload_verb_fetch(int argc, char **argv)
{
    static const GOptionEntry entries[] = { RELOAD_QUERY_ENTRIES,
                                            RELOAD_QUERY_PLACE_ENTRIES,
                                            { 0 } };
    return reload_query_run("fetch", entries, argc, argv, print_values);
}

/* --- stat, find --- */

static void print_stat(const json_t *answer)
{
    size_t i, j;
    const json_t *response, *v;
    json_array_foreach(json_object_get(answer, "kind_responses"), i, response)
    {
        printf("Kind %lld, generation %lld\n", reload_query_number(response, "kind"),
               reload_query_number(response, "generation_counter"));
        json_array_foreach(json_object_get(response, "values"), j, v)
        {
            if (json_object_get(v, "index"))
                printf("  [%lld]", reload_query_number(v, "index"));
            printf("  %lld bytes, %lld s left, digest %s%s\n",
                   reload_query_number(v, "value_length"), reload_query_number(v, "lifetime_s"),
                   reload_query_text(v, "hash_value"),
                   json_is_true(json_object_get(v, "exists")) ? "" : ", does not exist");
        }
    }
}

int reload_verb_stat(int argc, char **argv)
{
    static const GOptionEntry entries[] = { RELOAD_QUERY_ENTRIES,
                                            RELOAD_QUERY_PLACE_ENTRIES,
                                            { 0 } };
    return reload_query_run("stat", entries, argc, argv, print_stat);
}

static void print_find(const json_t *answer)
{
    size_t i;
    const json_t *result;
    json_array_foreach(json_object_get(answer, "results"), i, result)
        printf("Kind %lld: %s\n", reload_query_number(result, "kind"),
               reload_query_text(result, "closest"));
}

int reload_verb_find(int argc, char **argv)
{
    static const GOptionEntry entries[] = { RELOAD_QUERY_ENTRIES,
                                            RELOAD_QUERY_PLACE_ENTRIES,
                                            { 0 } };
    return reload_query_run("find", entries, argc, argv, print_find);
}
