#include "vectors.h"

#include <stdlib.h>

#include <openssl/evp.h>

#include "reload/wire/candidate.h"
#include "reload/wire/error.h"
#include "reload/wire/message.h"
#include "reload/wire/stored_data.h"

/* Every entry of the vectors made by danpascu/reload's encoder decodes to the fields it names and
 * encodes back to its bytes. There is no exception. The bodies have their own file. */

static struct reload_slice wire_of(const json_t *entry)
{
    const char *hex = json_string_value(json_object_get(entry, "hex"));
    assert_non_null(hex);
    return vectors_bytes(hex);
}

/* --- elements --- */

static void check_candidate(json_t *fields, struct reload_slice wire)
{
    struct reload_reader r = reload_reader_over(wire);
    struct reload_ice_candidate candidate;
    assert_int_equal(reload_ice_candidate_decode(&r, &candidate), 0);
    expect_candidate(fields, &candidate);
}

static void check_address(json_t *fields, struct reload_slice wire)
{
    struct reload_reader r = reload_reader_over(wire);
    struct reload_ip_address_port address;
    assert_int_equal(reload_ip_address_port_decode(&r, &address), 0);
    expect_number(fields, "type", address.type);
    expect_number(fields, "length", address.address.n + 2);
    expect_number(fields, "port", address.port);
    expect_address_text(fields, "addr", &address);
}

static void check_destination(json_t *fields, struct reload_slice wire)
{
    struct reload_reader r = reload_reader_over(wire);
    struct reload_destination d;
    assert_int_equal(reload_destination_decode(&r, RECODE_NODE_ID_LEN, &d), 0);
    expect_destination(fields, &d);
}

static void expect_option(json_t *fields, const struct reload_forwarding_option *option)
{
    expect_number(fields, "type", option->type);
    expect_number(fields, "flags", option->flags);
    expect_hex(fields, "option", option->option);
    vectors_all_taken(fields);
}

static void check_option(json_t *fields, struct reload_slice wire)
{
    struct reload_reader r = reload_reader_over(wire);
    struct reload_forwarding_option option;
    assert_int_equal(reload_forwarding_option_decode(&r, &option), 0);
    expect_option(fields, &option);
}

static void check_extension(json_t *fields, struct reload_slice wire)
{
    struct reload_reader r = reload_reader_over(wire);
    struct reload_message_extension extension;
    assert_int_equal(reload_message_extension_decode(&r, &extension), 0);
    expect_number(fields, "type", extension.type);
    expect_boolean(fields, "critical", extension.critical);
    expect_hex(fields, "extension_contents", extension.contents);
}

static void check_error(json_t *fields, struct reload_slice wire)
{
    struct reload_error_response response;
    assert_int_equal(reload_error_response_decode(wire, &response), 0);
    expect_number(fields, "error_code", response.error_code);
    expect_hex(fields, "error_info", response.error_info);
}

/* "error_code_NotFound" and "Error_Not_Found" are the same name. */
static void check_error_name(const json_t *entry, struct reload_slice wire)
{
    struct reload_error_response response;
    assert_int_equal(reload_error_response_decode(wire, &response), 0);
    const char *expected =
        json_string_value(json_object_get(entry, "name")) + strlen("error_code_");
    const char *name = reload_error_code_name(response.error_code) + strlen("Error_");
    for (; *name != '\0'; name++) {
        if (*name == '_')
            continue;
        assert_int_equal(*name | 0x20, *expected | 0x20); /* the registry writes "with" small */
        expected++;
    }
    assert_int_equal(*expected, '\0');
}

static struct reload_slice text_of(const json_t *string)
{
    return reload_slice_of(json_string_value(string), json_string_length(string));
}

static void sha1(struct reload_slice name, uint8_t digest[20])
{
    unsigned n = 0;
    assert_int_equal(EVP_Digest(name.p, name.n, digest, &n, EVP_sha1(), NULL), 1);
    assert_int_equal(n, 20);
}

/* The codec makes no digests; these entries fix which end of one it carries. */
static void check_digest(json_t *fields, struct reload_slice wire, struct reload_slice name,
                         size_t at)
{
    uint8_t digest[20];
    sha1(name, digest);
    assert_slice_equal(wire, reload_slice_of(digest + at, wire.n));
    json_decref(vectors_take(fields, "rule"));
}

static void check_overlay(json_t *fields, struct reload_slice wire)
{
    assert_int_equal(wire.n, 4);
    json_t *name = vectors_take(fields, "overlay_name");
    check_digest(fields, wire, text_of(name), 16);
    json_decref(name);
}

/* A Resource Name is text, but for the one that is a Node-ID: its raw bytes. */
static void check_resource_id(json_t *fields, struct reload_slice wire)
{
    assert_int_equal(wire.n, 16);
    json_t *name = vectors_take(fields, "resource_name");
    struct reload_slice text = text_of(name);
    bool node_id = memchr(text.p, '@', text.n) == NULL;
    check_digest(fields, wire, node_id ? vectors_bytes(json_string_value(name)) : text, 0);
    json_decref(name);
}

static const struct {
    const char *kind;
    void (*check)(json_t *fields, struct reload_slice wire);
} elements[] = {
    { "IceCandidate", check_candidate },
    { "IpAddressPort", check_address },
    { "Destination", check_destination },
    { "ForwardingOption", check_option },
    { "MessageExtension", check_extension },
    { "ErrorResponse", check_error },
    { "overlay", check_overlay },
    { "ResourceId", check_resource_id },
};

static void check_element(const json_t *entry)
{
    const char *kind = json_string_value(json_object_get(entry, "kind"));
    struct reload_slice wire = wire_of(entry);
    for (size_t i = 0; i < COUNT(elements); i++) {
        if (strcmp(elements[i].kind, kind) != 0)
            continue;
        json_t *fields = json_object_get(entry, "fields");
        elements[i].check(fields, wire);
        vectors_all_taken(fields);
        if (recoder_named(kind) != NULL)
            check_good(kind, wire);
        if (strcmp(kind, "ErrorResponse") == 0)
            check_error_name(entry, wire);
        return;
    }
    fail_msg("no check for %s", kind);
}

/* --- headers --- */

static void expect_header(json_t *fields, const struct reload_forwarding_header *h)
{
    json_t *list = vectors_take(fields, "via_list");
    expect_destinations(list, h->via_list);
    json_decref(list);
    list = vectors_take(fields, "destination_list");
    expect_destinations(list, h->destination_list);
    json_decref(list);
    expect_hex_number(fields, "transaction_id", h->transaction_id);
}

static void expect_options(json_t *fields, struct reload_slice wire)
{
    json_t *list = vectors_take(fields, "options");
    struct reload_reader r = reload_reader_over(wire);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct reload_forwarding_option option;
        assert_true(reload_forwarding_option_next(&r, &option));
        expect_option(json_array_get(list, i), &option);
    }
    assert_int_equal(reload_reader_finish(&r), 0);
    json_decref(list);
}

/* The header alone, followed by as much payload as its length asks for. */
static struct reload_slice with_payload(struct reload_slice header, const json_t *fields)
{
    size_t n = (size_t)json_integer_value(json_object_get(fields, "length"));
    assert_true(n >= header.n);
    uint8_t *message = calloc(1, n);
    assert_non_null(message);
    memcpy(message, header.p, header.n);
    return reload_slice_of(message, n);
}

static void check_header(const json_t *entry)
{
    json_t *fields = json_object_get(entry, "fields");
    struct reload_slice wire = wire_of(entry), message = with_payload(wire, fields);
    struct reload_forwarding_header h;
    assert_int_equal(reload_forwarding_header_decode(message, RECODE_NODE_ID_LEN, &h), 0);
    assert_int_equal(reload_forwarding_header_len(&h), wire.n);
    expect_header(fields, &h);
    expect_options(fields, h.options);
    expect_hex_number(fields, "relo_token", RELOAD_TOKEN);
    expect_hex_number(fields, "overlay", h.overlay);
    expect_number(fields, "configuration_sequence", h.configuration_sequence);
    expect_number(fields, "version", h.version);
    expect_number(fields, "ttl", h.ttl);
    expect_hex_number(fields, "fragment", h.fragment);
    expect_number(fields, "length", h.length);
    expect_number(fields, "max_response_length", h.max_response_length);
    uint8_t digest[20];
    json_t *name = vectors_take(fields, "overlay_name");
    sha1(text_of(name), digest);
    json_decref(name);
    struct reload_reader low = reload_reader_of(digest + 16, 4);
    assert_int_equal(reload_rd_u32(&low), h.overlay);
    vectors_all_taken(fields);
    check_good("ForwardingHeader", message);
    free((void *)message.p);
}

/* --- signatures --- */

static void expect_signer(json_t *fields, const struct reload_signer_identity *identity)
{
    static const char *const types[] = { "invalid", "cert_hash", "cert_hash_node_id", "none" };
    assert_true(identity->type < COUNT(types));
    expect_word(fields, "identity_type", types[identity->type]);
    assert_int_equal(identity->hash_algorithm, RELOAD_HASH_SHA256);
    expect_word(fields, "hash_alg", "sha256");
    expect_hex(fields, "hash", identity->hash);
}

static const char *signature_name(uint8_t algorithm)
{
    return algorithm == RELOAD_SIGNATURE_RSA ? "rsa" : "ecdsa";
}

/* `bytes` are those of an entry's own key, next to its fields. */
static void expect_entry_hex(const json_t *entry, const char *key, struct reload_slice bytes)
{
    const char *hex = json_string_value(json_object_get(entry, key));
    assert_non_null(hex);
    assert_slice_equal(bytes, vectors_bytes(hex));
}

/* What a signature covers is a concatenation of slices of the message as received (s6.3.4). */
static void expect_signed_input(const json_t *entry, const struct reload_message *m)
{
    uint8_t input[4096];
    struct reload_writer w = reload_writer_of(input, sizeof input);
    reload_wr_u32(&w, m->header.overlay);
    reload_wr_u64(&w, m->header.transaction_id);
    reload_wr_bytes(&w, m->contents);
    reload_wr_bytes(&w, m->security.signature.identity.raw);
    assert_int_equal(reload_writer_status(&w), 0);
    expect_entry_hex(entry, "tbs_hex", reload_writer_slice(&w));
}

static void expect_counts(json_t *fields, const struct reload_message *m, struct reload_slice *last)
{
    struct reload_reader r = reload_reader_over(m->extensions);
    struct reload_message_extension extension;
    uint64_t count = 0;
    while (reload_message_extension_next(&r, &extension))
        count++;
    expect_number(fields, "extensions", count);
    r = reload_reader_over(m->security.certificates);
    struct reload_certificate certificate;
    for (count = 0; reload_certificate_next(&r, &certificate); count++)
        *last = certificate.certificate;
    expect_number(fields, "certificates", count);
}

static void check_signed_message(const json_t *entry)
{
    json_t *fields = json_object_get(entry, "fields");
    struct reload_slice wire = wire_of(entry), certificate = { NULL, 0 };
    struct reload_message m;
    assert_int_equal(reload_message_decode(wire, RECODE_NODE_ID_LEN, &m), 0);
    const struct reload_signature *signature = &m.security.signature;
    expect_number(fields, "message_code", m.message_code);
    expect_header(fields, &m.header);
    expect_counts(fields, &m, &certificate);
    json_t *algorithm = vectors_take(fields, "algorithm");
    assert_int_equal(signature->hash_algorithm, RELOAD_HASH_SHA256);
    assert_string_equal(json_string_value(json_array_get(algorithm, 0)), "sha256");
    assert_string_equal(json_string_value(json_array_get(algorithm, 1)),
                        signature_name(signature->signature_algorithm));
    json_decref(algorithm);
    expect_signer(fields, &signature->identity);
    json_t *key = vectors_take(fields, "cert_key");
    assert_slice_equal(certificate, vectors_certificate(json_string_value(key)));
    json_decref(key);
    vectors_all_taken(fields);
    size_t header_len = reload_forwarding_header_len(&m.header);
    expect_entry_hex(entry, "header_hex", reload_slice_of(wire.p, header_len));
    expect_entry_hex(entry, "contents_hex", m.contents);
    size_t block_at = header_len + m.contents.n;
    struct reload_slice block = reload_slice_of(wire.p + block_at, wire.n - block_at);
    expect_entry_hex(entry, "security_block_hex", block);
    expect_entry_hex(entry, "signer_identity_hex", signature->identity.raw);
    expect_entry_hex(entry, "signature_hex", signature->value);
    expect_entry_hex(entry, "cert_der_hex", certificate);
    expect_signed_input(entry, &m);
    check_good("Message", wire);
    check_good("SecurityBlock", block);
}

/* --- stored data --- */

static enum reload_data_model model_named(const char *name)
{
    if (strcmp(name, "ARRAY") == 0)
        return RELOAD_MODEL_ARRAY;
    return strcmp(name, "DICTIONARY") == 0 ? RELOAD_MODEL_DICTIONARY : RELOAD_MODEL_SINGLE;
}

/* The entries disagree on the Resource-ID's length byte; each says what it signed. */
static void expect_signed_value(const json_t *entry, struct reload_slice resource, uint32_t kind,
                                const struct reload_stored_data *data)
{
    uint8_t input[4096];
    struct reload_writer w = reload_writer_of(input, sizeof input);
    const char *name = json_string_value(json_object_get(entry, "name"));
    if (strstr(name, "LENPREFIXED") != NULL)
        reload_wr_opaque8(&w, resource);
    else
        reload_wr_bytes(&w, resource);
    reload_wr_u32(&w, kind);
    reload_wr_u64(&w, data->storage_time_ms);
    reload_wr_bytes(&w, data->value.raw);
    reload_wr_bytes(&w, data->signature.identity.raw);
    assert_int_equal(reload_writer_status(&w), 0);
    expect_entry_hex(entry, "tbs_hex", reload_writer_slice(&w));
}

static void expect_stored_fields(const json_t *entry, json_t *fields,
                                 const struct reload_stored_data *data)
{
    json_t *value = vectors_take(fields, "value");
    expect_stored_value(value, &data->value);
    json_decref(value);
    expect_number(fields, "storage_time", data->storage_time_ms);
    expect_number(fields, "lifetime", data->lifetime_s);
    expect_signer(fields, &data->signature.identity);
    json_t *key = vectors_take(fields, "cert_key");
    assert_string_equal(json_string_value(key),
                        data->signature.signature_algorithm == RELOAD_SIGNATURE_RSA ? "rsa" : "ec");
    expect_entry_hex(entry, "cert_der_hex", vectors_certificate(json_string_value(key)));
    json_decref(key);
    expect_entry_hex(entry, "value_hex", data->value.raw);
    json_decref(vectors_take(fields, "kind"));          /* the name of kind_id */
    json_decref(vectors_take(fields, "resource_name")); /* hashes to resource_id */
}

static void check_stored_data(const json_t *entry)
{
    static const char *const structures[] = { "StoredData SINGLE", "StoredData ARRAY",
                                              "StoredData DICTIONARY" };
    json_t *fields = json_object_get(entry, "fields");
    struct reload_slice wire = wire_of(entry);
    json_t *name = vectors_take_if(fields, "data_model"); /* one entry has a note instead */
    json_t *note = vectors_take_if(fields, "note");
    enum reload_data_model model = model_named(name != NULL ? json_string_value(name) : "SINGLE");
    struct reload_reader r = reload_reader_over(wire);
    struct reload_stored_data data;
    assert_int_equal(reload_stored_data_decode(&r, model, &data), 0);
    assert_int_equal(reload_reader_finish(&r), 0);
    json_t *resource = vectors_take(fields, "resource_id"), *kind = vectors_take(fields, "kind_id");
    expect_signed_value(entry, vectors_bytes(json_string_value(resource)),
                        (uint32_t)json_integer_value(kind), &data);
    expect_entry_hex(entry, "signature_hex", data.signature.value);
    if (note == NULL)
        expect_stored_fields(entry, fields, &data);
    vectors_all_taken(fields);
    check_good(structures[model], wire);
    json_decref(resource);
    json_decref(kind);
    json_decref(note);
    json_decref(name);
}

/* --- all --- */

static void check_file(const char *file, size_t expected, void (*check)(const json_t *entry))
{
    json_t *entries = vectors_load(file);
    assert_int_equal(json_array_size(entries), expected);
    size_t checked = 0;
    for (; checked < json_array_size(entries); checked++) {
        const json_t *entry = json_array_get(entries, checked);
        print_message("%s: %s\n", file, json_string_value(json_object_get(entry, "name")));
        check(entry);
    }
    assert_int_equal(checked, expected);
    json_decref(entries);
    vectors_free();
}

/* R6940-6.3.2-3 R6940-6.3.1.1-6 R6940-6.3.2.2-4 R6940-14.9-1 R6940-14.9-2 R6940-14.9-3 R6940-14.9-4
 */
static void every_element_has_its_fields_and_bytes(void **state)
{
    (void)state;
    check_file("danpascu_elements", 39, check_element);
}

/* R6940-6.3.2-1 R6940-6.3.2-3 */
static void every_header_has_its_fields_and_bytes(void **state)
{
    (void)state;
    check_file("danpascu_headers", 7, check_header);
}

/* R6940-6.3-1 R6940-6.3.4-1 R6940-6.3.4-3 R6940-6.3.4-4 R6940-6.3.4-5 */
static void every_signed_message_has_its_fields_and_bytes(void **state)
{
    (void)state;
    check_file("danpascu_signed_messages", 7, check_signed_message);
}

/* R6940-7-1 R6940-7.2-1 R6940-7.2-2 */
static void every_stored_data_has_its_fields_and_bytes(void **state)
{
    (void)state;
    check_file("danpascu_stored_data", 13, check_stored_data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_element_has_its_fields_and_bytes),
        cmocka_unit_test(every_header_has_its_fields_and_bytes),
        cmocka_unit_test(every_signed_message_has_its_fields_and_bytes),
        cmocka_unit_test(every_stored_data_has_its_fields_and_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
