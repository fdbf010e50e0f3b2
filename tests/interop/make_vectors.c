#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/context.h"
#include "reload/security/signature.h"
#include "reload/wire/store.h"
#include "tests/interop/bodies.h"

/* Prints the published vectors (interop/vectors/messages.json) made with the keys of
 * interop/vectors/keys.json, whose path is the only argument. */

#define MESSAGE_MAX    65536
#define TRANSACTION_ID 0x0102030405060700u

struct signer {
    struct reload_cert_key *key;
    struct reload_cert_identity *identity;
    struct reload_cert_context *context;
    struct reload_crypto crypto;
    struct reload_config config;
};

static void must(int status, const char *what)
{
    if (status == 0)
        return;
    fprintf(stderr, "make_vectors: %s: %s\n", what, reload_error_text(status));
    exit(1);
}

static struct reload_slice text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    if (!text)
        must(RELOAD_E_NOT_FOUND, name);
    return reload_slice_of(text, strlen(text));
}

static void signer_init(struct signer *s, const json_t *keys, const char *name)
{
    struct reload_cert_reason why = { "" };
    const json_t *node = json_object_get(json_object_get(keys, "nodes"), name);
    s->config = reload_config_defaults();
    s->config.instance_name = (const char *)text_of(keys, "overlay").p;
    must(reload_cert_key_parse(text_of(node, "private_key_pem"), &s->key, &why), "key");
    must(reload_cert_identity_new(text_of(node, "certificate_pem"), s->key, NULL, &s->identity,
                                  &why),
         "certificate");
    const struct reload_cert_context_options options = { .identity = s->identity,
                                                         .config = &s->config };
    must(reload_cert_context_new(&options, &s->context, &why), "context");
    s->crypto = reload_cert_context_crypto(s->context);
}

static void signer_fini(struct signer *s)
{
    reload_cert_context_free(s->context);
    reload_cert_identity_free(s->identity);
    reload_cert_key_free(s->key);
}

/* --- a message --- */

struct made { /* a message and the parts of it that are published */
    const char *name, *section, *signer;
    struct reload_forwarding_header header;
    struct reload_slice extensions;
};

static void set_hex(json_t *out, const char *name, const struct reload_slice *parts, size_t count)
{
    size_t len = 0, at = 0;
    for (size_t i = 0; i < count; i++)
        len += parts[i].n;
    char *hex = calloc(2 * len + 1, 1);
    if (!hex)
        abort();
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < parts[i].n; k++, at += 2)
            snprintf(hex + at, 3, "%02x", parts[i].p[k]);
    json_object_set_new(out, name, json_string(hex));
    free(hex);
}

static void set_slice(json_t *out, const char *name, struct reload_slice slice)
{
    set_hex(out, name, &slice, 1);
}

/* What the signature of the one value of a Store covers (s7.1). */
static void describe_value(json_t *out, struct reload_slice body)
{
    struct reload_store_req req;
    struct reload_store_kind_data kind;
    struct reload_stored_data value;
    struct reload_value_signature_input input;
    must(reload_store_req_decode(body, &req), "store");
    struct reload_reader kinds = reload_reader_over(req.kind_data);
    must(reload_store_kind_data_decode(&kinds, &kind), "kind");
    struct reload_reader values = reload_reader_over(kind.values);
    must(reload_stored_data_decode(&values, vector_model(kind.kind), &value), "value");
    must(reload_value_signature_input(&input, RELOAD_RESOURCE_WITH_LENGTH, req.resource, kind.kind,
                                      &value, value.signature.identity.raw),
         "value");
    set_hex(out, "value_signature_input_hex", input.parts, RELOAD_VALUE_SIGNATURE_PARTS);
    set_slice(out, "value_signature_hex", value.signature.value);
}

/* The message is taken apart again for what is published beside it. */
static json_t *describe(const struct made *what, struct reload_slice bytes)
{
    struct reload_message m;
    struct reload_message_signature_input input;
    char id[17];
    must(reload_message_decode(bytes, 16, &m), what->name);
    const struct reload_signature *signature = &m.security.signature;
    reload_message_signature_input(&input, m.header.overlay, m.header.transaction_id, m.contents,
                                   signature->identity.raw);
    snprintf(id, sizeof id, "%016" PRIx64, m.header.transaction_id);
    bool rsa = signature->signature_algorithm == RELOAD_SIGNATURE_RSA;
    json_t *out = json_pack("{ss ss ss ss ss si sb}", "name", what->name, "message",
                            reload_message_name(m.message_code), "section", what->section, "signer",
                            what->signer, "transaction_id", id, "message_code", (int)m.message_code,
                            "deterministic", rsa);
    set_slice(out, "hex", bytes);
    set_slice(out, "body_hex", m.body);
    set_slice(out, "signer_identity_hex", signature->identity.raw);
    set_hex(out, "signature_input_hex", input.parts, RELOAD_MESSAGE_SIGNATURE_PARTS);
    set_slice(out, "signature_hex", signature->value);
    if (m.message_code == RELOAD_STORE_REQ)
        describe_value(out, m.body);
    return out;
}

static json_t *make(const struct made *what, const struct vector_body *body,
                    const struct vector_context *context)
{
    static uint8_t buffer[MESSAGE_MAX];
    struct reload_writer w = reload_writer_of(buffer, sizeof buffer);
    must(reload_forwarding_header_encode(&w, &what->header), what->name);
    size_t start = w.len, mark = reload_message_contents_begin(&w, body->code);
    body->write(&w, context);
    reload_message_contents_end(&w, mark, what->extensions);
    struct reload_slice contents = reload_slice_of(w.buf + start, w.len - start);
    must(reload_message_sign(context->crypto, what->header.overlay, what->header.transaction_id,
                             contents, (struct reload_slice){ 0 }, &w),
         what->name);
    reload_forwarding_header_close(&w, 0);
    must(reload_writer_status(&w), what->name);
    return describe(what, reload_writer_slice(&w));
}

/* --- headers --- */

static struct reload_forwarding_header header(uint32_t overlay, size_t index,
                                              struct reload_slice destinations)
{
    return (struct reload_forwarding_header){ .overlay = overlay,
                                              .configuration_sequence = 1,
                                              .version = RELOAD_VERSION,
                                              .ttl = 100,
                                              .fragment = RELOAD_FRAGMENT_WHOLE,
                                              .transaction_id = TRANSACTION_ID + index,
                                              .destination_list = destinations };
}

/* Every form of a destination, options and an extension in one Ping. */
static json_t *make_lists(uint32_t overlay, size_t index, const struct vector_body *ping,
                          const struct vector_context *context)
{
    static const char via[] = "\x01\x10VIA-NODE-16-BYTE"
                              "\x02\x06\x05VIA-R"
                              "\x03\x04\x03VIA"
                              "\x81\x23",
                      destinations[] = "\x01\x10TO-A-NODE-16-BYT"
                                       "\x02\x11\x10TO-RESOURCE-16-B",
                      options[] = "\xc8\x04\0\x03"
                                  "abc"
                                  "\xc9\0\0\0",
                      extensions[] = "\x77\x77\0\0\0\0\x03"
                                     "ext";
    struct made what = { "ping_req_lists_options_extension", "6.3.2", "anna",
                         header(overlay, index,
                                reload_slice_of(destinations, sizeof destinations - 1)),
                         reload_slice_of(extensions, sizeof extensions - 1) };
    what.header.via_list = reload_slice_of(via, sizeof via - 1);
    what.header.options = reload_slice_of(options, sizeof options - 1);
    what.header.max_response_length = 5000;
    return make(&what, ping, context);
}

static struct reload_slice block_of(struct reload_slice document, char *out, size_t room)
{
    static const char head[] = "<kind-block xmlns=\"urn:ietf:params:xml:ns:p2p:config-base\">";
    const char *from = strstr((const char *)document.p, "<kind-block>");
    const char *to = strstr((const char *)document.p, "</kind-block>");
    int n = snprintf(out, room, "%s%.*s", head, (int)(to - from) - 12 + 13, from + 12);
    return reload_slice_of(out, (size_t)n);
}

static json_t *make_all(const json_t *keys, uint32_t overlay)
{
    static char block[8192];
    struct signer anna = { 0 }, bert = { 0 };
    struct vector_context context = { .document = text_of(keys, "document") };
    uint8_t to[18] = { RELOAD_DEST_NODE, 16 };
    json_t *list = json_array();
    signer_init(&anna, keys, "anna");
    signer_init(&bert, keys, "bert");
    context.kind_block = block_of(context.document, block, sizeof block);
    context.crypto = &anna.crypto;
    memcpy(to + 2, bert.crypto.own->node_id.bytes, 16);
    const struct vector_body *ping = NULL;
    size_t i;
    for (i = 0; i < vector_body_count; i++) {
        const struct vector_body *body = &vector_bodies[i];
        const struct made what = { body->name,
                                   body->section,
                                   "anna",
                                   header(overlay, i, reload_slice_of(to, sizeof to)),
                                   { 0 } };
        if (body->code == RELOAD_PING_REQ)
            ping = body;
        json_array_append_new(list, make(&what, body, &context));
    }
    json_array_append_new(list, make_lists(overlay, i++, ping, &context));
    context.crypto = &bert.crypto;
    memcpy(to + 2, anna.crypto.own->node_id.bytes, 16);
    const struct made what = {
        "ping_req_ecdsa", "6.3.4", "bert", header(overlay, i, reload_slice_of(to, sizeof to)), { 0 }
    };
    json_array_append_new(list, make(&what, ping, &context));
    signer_fini(&anna);
    signer_fini(&bert);
    return list;
}

int main(int argc, char **argv)
{
    json_t *keys = argc == 2 ? json_load_file(argv[1], 0, NULL) : NULL;
    struct reload_config *config = NULL;
    struct reload_cert_reason why = { "" };
    const struct reload_cert_document_policy policy = { 0 };
    if (!keys) {
        fputs("Usage: make_vectors interop/vectors/keys.json\n", stderr);
        return 2;
    }
    must(reload_cert_document_load(text_of(keys, "document"), NULL, &policy,
                                   (uint64_t)json_integer_value(json_object_get(keys, "now_ms")),
                                   &config, &why),
         why.text);
    json_t *list = make_all(keys, config->overlay);
    json_dumpf(list, stdout, JSON_INDENT(1));
    fputs("\n", stdout);
    json_decref(list);
    json_decref(keys);
    reload_cert_document_free(config);
    return 0;
}
