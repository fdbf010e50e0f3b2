/* Every bit of what is signed, in every published message, its value and the document: turned over,
 * no verifier takes it, with the real keys. interop/vectors is where they lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "certs/context.h"
#include "peer/json.h"
#include "reload/security/signature.h"
#include "reload/wire/message.h"
#include "reload/wire/store.h"
#include "tests/interop/bodies.h"

#define SAMPLES_MIN 20

static json_t *keys, *messages;
static struct reload_config *config;
static struct reload_cert_context *context;
static struct reload_crypto crypto;
static struct reload_time now;

static struct reload_slice text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    assert_non_null(text);
    return reload_slice_of(text, strlen(text));
}

static json_t *load(const char *name)
{
    char path[300];
    snprintf(path, sizeof path, "%s/interop/vectors/%s", RELOAD_SOURCE_DIR, name);
    json_t *json = json_load_file(path, 0, NULL);
    assert_non_null(json);
    return json;
}

static int set_up(void **state)
{
    struct reload_cert_reason why = { "" };
    const struct reload_cert_document_policy policy = { 0 };
    (void)state;
    keys = load("keys.json");
    messages = load("messages.json");
    now =
        (struct reload_time){ 1000, (uint64_t)json_integer_value(json_object_get(keys, "now_ms")) };
    if (reload_cert_document_load(text_of(keys, "document"), NULL, &policy, now.unix_ms, &config,
                                  &why))
        fail_msg("%s", why.text);
    const struct reload_cert_context_options options = { .config = config };
    assert_int_equal(reload_cert_context_new(&options, &context, &why), 0);
    crypto = (struct reload_crypto){ .ops = &reload_cert_crypto_ops, .context = context };
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    reload_cert_context_free(context);
    reload_cert_document_free(config);
    json_decref(keys);
    json_decref(messages);
    return 0;
}

/* A published message, of its exact size. */
static uint8_t *bytes_of(const json_t *entry, size_t *len)
{
    uint8_t *bytes;
    size_t at;
    struct reload_slice hex = text_of(entry, "hex");
    assert_int_equal(reload_hex_read((const char *)hex.p, hex.n, &bytes, len, &at), 0);
    return bytes;
}

static int verify(const uint8_t *bytes, size_t len)
{
    struct reload_message m;
    struct reload_signer signer;
    int error = reload_message_decode(reload_slice_of(bytes, len), 16, &m);
    return error ? error : reload_message_verify(&crypto, &m, now, &signer);
}

struct span {
    size_t from, to;
};

static struct span span_of(const uint8_t *start, struct reload_slice part)
{
    return (struct span){ (size_t)(part.p - start), (size_t)(part.p - start) + part.n };
}

static void refuse_each_bit(uint8_t *bytes, size_t len, struct span span)
{
    for (size_t bit = 8 * span.from; bit < 8 * span.to; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (verify(bytes, len) == 0)
            fail_msg("bit %zu turned, and still good", bit);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

/* R6940-6.3.4-16 R6940-6.3.4-20: what s6.3.4 has signed, and the signature with all it says. */
static void no_message_with_a_bit_turned_is_taken(void **state)
{
    size_t i;
    const json_t *entry;
    (void)state;
    assert_true(json_array_size(messages) >= SAMPLES_MIN);
    json_array_foreach(messages, i, entry)
    {
        size_t len;
        struct reload_message m;
        uint8_t *bytes = bytes_of(entry, &len);
        assert_int_equal(verify(bytes, len), 0);
        assert_int_equal(reload_message_decode(reload_slice_of(bytes, len), 16, &m), 0);
        struct span contents = span_of(bytes, m.contents);
        struct span bucket = span_of(bytes, m.security.certificates);
        refuse_each_bit(bytes, len, (struct span){ 4, 8 });   /* overlay */
        refuse_each_bit(bytes, len, (struct span){ 20, 28 }); /* transaction_id */
        refuse_each_bit(bytes, len, contents);
        refuse_each_bit(bytes, len, (struct span){ bucket.to, len });
        assert_int_equal(verify(bytes, len), 0);
        free(bytes);
    }
}

static struct reload_stored_data value_in(struct reload_slice body, struct reload_slice *resource,
                                          uint32_t *kind)
{
    struct reload_store_req req;
    struct reload_store_kind_data data;
    struct reload_stored_data value;
    assert_int_equal(reload_store_req_decode(body, &req), 0);
    struct reload_reader kinds = reload_reader_over(req.kind_data);
    assert_int_equal(reload_store_kind_data_decode(&kinds, &data), 0);
    struct reload_reader values = reload_reader_over(data.values);
    assert_int_equal(reload_stored_data_decode(&values, vector_model(data.kind), &value), 0);
    *resource = req.resource;
    *kind = data.kind;
    return value;
}

/* Whether a Store's body, if it can still be read, has a value whose signature holds. */
static bool value_holds(struct reload_slice body, struct reload_slice certificates)
{
    struct reload_store_req req;
    struct reload_store_kind_data data;
    struct reload_stored_data value;
    struct reload_signer signer;
    if (reload_store_req_decode(body, &req))
        return false;
    struct reload_reader kinds = reload_reader_over(req.kind_data);
    if (reload_store_kind_data_decode(&kinds, &data))
        return false;
    struct reload_reader values = reload_reader_over(data.values);
    return !reload_stored_data_decode(&values, vector_model(data.kind), &value) &&
           !reload_value_verify(&crypto, req.resource, data.kind, &value, certificates, now,
                                &signer);
}

/* R6940-7.1-1 R6940-7.4.1.1-9: resource, kind, time, value and signature; the replica number, the
 * generation counter and the lifetime are not signed (s7.1). */
static void no_value_with_a_bit_turned_is_taken(void **state)
{
    size_t i, stores = 0;
    const json_t *entry;
    (void)state;
    json_array_foreach(messages, i, entry)
    {
        size_t len;
        uint32_t kind;
        struct reload_message m;
        struct reload_slice resource;
        uint8_t *bytes = bytes_of(entry, &len);
        assert_int_equal(reload_message_decode(reload_slice_of(bytes, len), 16, &m), 0);
        if (m.message_code != RELOAD_STORE_REQ) {
            free(bytes);
            continue;
        }
        stores++;
        struct reload_stored_data value = value_in(m.body, &resource, &kind);
        assert_true(value_holds(m.body, m.security.certificates));
        size_t replica = span_of(bytes, resource).to;
        size_t generation = replica + 1 + 4 + 4;      /* behind kind_data's length and kind */
        size_t lifetime = generation + 8 + 4 + 4 + 8; /* ... behind two lengths and the time */
        bool array = value.value.model == RELOAD_MODEL_ARRAY; /* its index counts as 0 */
        struct span body = span_of(bytes, m.body);
        for (size_t bit = 8 * body.from; bit < 8 * body.to; bit++) {
            size_t at = bit / 8;
            if (at == replica || (at >= generation && at < generation + 8) ||
                (at >= lifetime && at < lifetime + 4 + (array ? 4 : 0)))
                continue;
            bytes[at] ^= (uint8_t)(1 << bit % 8);
            if (value_holds(m.body, m.security.certificates))
                fail_msg("%s: bit %zu turned, and still good",
                         (const char *)text_of(entry, "name").p, bit);
            bytes[at] ^= (uint8_t)(1 << bit % 8);
        }
        free(bytes);
    }
    assert_true(stores >= 3); /* one for each data model */
}

/* R6940-11.1-33: in each byte of the configuration element, another bit each. */
static void no_document_with_a_bit_turned_is_taken(void **state)
{
    struct reload_slice whole = text_of(keys, "document");
    const struct reload_cert_document_policy policy = { 0 };
    struct reload_cert_reason why;
    struct reload_config *other;
    uint8_t *bytes = malloc(whole.n);
    (void)state;
    assert_non_null(bytes);
    memcpy(bytes, whole.p, whole.n);
    const uint8_t *from = memmem(bytes, whole.n, "<configuration ", 15);
    const uint8_t *to = memmem(bytes, whole.n, "</configuration>", 16);
    assert_true(from && to);
    for (size_t at = (size_t)(from - bytes); at < (size_t)(to + 16 - bytes); at++) {
        bytes[at] ^= (uint8_t)(1 << at % 8);
        if (reload_cert_document_load(reload_slice_of(bytes, whole.n), NULL, &policy, now.unix_ms,
                                      &other, &why) == 0)
            fail_msg("byte %zu changed, and still good", at);
        bytes[at] ^= (uint8_t)(1 << at % 8);
    }
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_message_with_a_bit_turned_is_taken),
        cmocka_unit_test(no_value_with_a_bit_turned_is_taken),
        cmocka_unit_test(no_document_with_a_bit_turned_is_taken),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
