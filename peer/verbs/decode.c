#include <stdio.h>
#include <string.h>

#include "certs/document.h"
#include "certs/file.h"
#include "peer/able.h"
#include "peer/decode/decode.h"
#include "peer/verbs/verbs.h"

#define INPUT_MAX (256u << 20) /* bytes */

static struct {
    char *config, *body;
    int node_id_len;
    gboolean json;
} o = { .node_id_len = 16 };

static const GOptionEntry entries[] = {
    { "config", 0, 0, G_OPTION_ARG_FILENAME, &o.config,
      "Configuration document that tells the data models of more Kinds", "overlay.xml" },
    { "node-id-length", 0, 0, G_OPTION_ARG_INT, &o.node_id_len,
      "Bytes of a Node-ID, 16 to 20 (default: the document's, else 16)", "N" },
    { "body", 0, 0, G_OPTION_ARG_STRING, &o.body,
      "The input is a message body alone, of this message", "store_req" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &o.json, "One object a line, without indentation", NULL },
    { 0 },
};

static int load_config(struct reload_config **config)
{
    struct reload_cert_bytes bytes = { 0 };
    struct reload_cert_reason reason = { "" };
    const struct reload_cert_document_policy policy = reload_able_policy();
    int error = reload_cert_file_read(o.config, &bytes, &reason);
    if (!error)
        error = reload_cert_document_parse(reload_cert_bytes_slice(&bytes), NULL, &policy, config,
                                           &reason);
    reload_cert_bytes_fini(&bytes);
    if (error)
        return reload_verb_refuse(error, o.config, &reason);
    o.node_id_len = (*config)->node_id_length;
    return 0;
}

static int read_all(const char *path, GByteArray *input)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    uint8_t buffer[65536];
    size_t n;
    if (!file)
        return reload_verb_fail(RELOAD_EXIT_FAILURE, "%s: %s", path, g_strerror(errno));
    while (input->len < INPUT_MAX && (n = fread(buffer, 1, sizeof buffer, file)) > 0)
        g_byte_array_append(input, buffer, (guint)n);
    bool failed = ferror(file);
    if (!standard)
        (void)fclose(file);
    if (failed)
        return reload_verb_fail(RELOAD_EXIT_FAILURE, "%s: cannot be read", path);
    if (input->len >= INPUT_MAX)
        return reload_verb_fail(RELOAD_EXIT_FAILURE, "%s: more than %u bytes; decode parts of it",
                                path, INPUT_MAX);
    return 0;
}

static void complain(const char *path, const json_t *objects)
{
    size_t i;
    const json_t *object;
    json_array_foreach(objects, i, object)
    {
        const json_t *fault = json_object_get(object, "error");
        if (fault)
            fprintf(stderr, "reload: %s: item %zu: offset %lld: %s\n", path, i + 1,
                    (long long)json_integer_value(json_object_get(fault, "offset")),
                    json_string_value(json_object_get(fault, "what")));
    }
}

/* With --body: hexadecimal or bytes of one body, in place of a message. */
static int decode_input(const GByteArray *input, const struct reload_decode_options *options,
                        json_t **objects)
{
    struct reload_slice bytes = reload_slice_of(input->data, input->len);
    return o.body ? reload_decode_input_body(bytes, o.body, options, objects)
                  : reload_decode_input(bytes, options, objects);
}

static int decode(const char *path, const struct reload_config *config)
{
    GByteArray *input = g_byte_array_new();
    struct reload_decode_options options = { (size_t)o.node_id_len, config };
    json_t *objects = NULL, *object;
    size_t i;
    int code = read_all(path, input);
    if (code == 0) {
        int error = decode_input(input, &options, &objects);
        json_array_foreach(objects, i, object)
        {
            json_dumpf(object, stdout, o.json ? JSON_COMPACT : JSON_INDENT(2));
            putchar('\n');
        }
        complain(path, objects);
        code = error ? RELOAD_EXIT_FAILURE : RELOAD_EXIT_OK;
        if (error == RELOAD_E_NOT_FOUND)
            code =
                reload_verb_fail(RELOAD_EXIT_USAGE, "--body %s: there is no such message", o.body);
        json_decref(objects);
    }
    g_byte_array_unref(input);
    return code;
}

int reload_verb_decode(int argc, char **argv)
{
    struct reload_config *config = NULL;
    int code = reload_verb_options("decode", entries, &argc, &argv, 0, 1);
    if (code == 0 && (o.node_id_len < RELOAD_NODE_ID_MIN || o.node_id_len > RELOAD_NODE_ID_MAX))
        code = reload_verb_fail(RELOAD_EXIT_USAGE, "--node-id-length must be 16 to 20");
    if (code == 0 && o.config)
        code = load_config(&config);
    if (code == 0)
        code = decode(argc > 1 ? argv[1] : "-", config);
    reload_cert_document_free(config);
    return code;
}
