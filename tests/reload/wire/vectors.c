#include "vectors.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/evp.h>

#include "reload/wire/candidate.h"
#include "reload/wire/destination.h"
#include "reload/wire/stored_data.h"
#include "reload/wire/turn_server.h"

static struct block {
    struct block *next;
    uint8_t bytes[];
} * blocks;

static uint8_t *keep(size_t n)
{
    struct block *block = malloc(sizeof *block + n + 1);
    assert_non_null(block);
    block->next = blocks;
    blocks = block;
    return block->bytes;
}

void vectors_free(void)
{
    while (blocks != NULL) {
        struct block *next = blocks->next;
        free(blocks);
        blocks = next;
    }
}

json_t *vectors_load(const char *file)
{
    char path[512];
    (void)snprintf(path, sizeof path, "%s/vectors/%s.json", RELOAD_TEST_DATA, file);
    json_error_t error;
    json_t *json = json_load_file(path, 0, &error);
    if (json == NULL)
        fail_msg("%s: %s", path, error.text);
    return json;
}

struct reload_slice vectors_bytes(const char *hex)
{
    size_t n = strlen(hex) / 2;
    assert_int_equal(strlen(hex), 2 * n);
    uint8_t *bytes = keep(n);
    for (size_t i = 0; i < n; i++) {
        unsigned byte;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
        bytes[i] = (uint8_t)byte;
    }
    return reload_slice_of(bytes, n);
}

struct reload_slice vectors_certificate(const char *key)
{
    json_t *keys = vectors_load("keys");
    const char *pem = json_string_value(json_object_get(json_object_get(keys, key), "cert_pem"));
    assert_non_null(pem);
    pem = strchr(pem, '\n');
    size_t n = (size_t)(strstr(pem, "-----END") - pem);
    uint8_t *der = keep(n);
    EVP_ENCODE_CTX *context = EVP_ENCODE_CTX_new();
    EVP_DecodeInit(context);
    int len = 0, last = 0;
    assert_true(EVP_DecodeUpdate(context, der, &len, (const uint8_t *)pem, (int)n) >= 0);
    assert_int_equal(EVP_DecodeFinal(context, der + len, &last), 1);
    EVP_ENCODE_CTX_free(context);
    json_decref(keys);
    return reload_slice_of(der, (size_t)(len + last));
}

/* --- taking --- */

json_t *vectors_take_if(json_t *object, const char *key)
{
    json_t *value = json_incref(json_object_get(object, key));
    (void)json_object_del(object, key);
    return value;
}

json_t *vectors_take(json_t *object, const char *key)
{
    json_t *value = vectors_take_if(object, key);
    if (value == NULL)
        fail_msg("no field %s", key);
    return value;
}

void vectors_all_taken(const json_t *object)
{
    const char *key = json_object_iter_key(json_object_iter((json_t *)object));
    if (key != NULL)
        fail_msg("field %s was not compared", key);
}

void expect_number(json_t *object, const char *key, uint64_t value)
{
    json_t *json = vectors_take(object, key);
    assert_true(json_is_integer(json));
    if ((uint64_t)json_integer_value(json) != value)
        fail_msg("%s is %llu", key, (unsigned long long)value);
    json_decref(json);
}

void expect_boolean(json_t *object, const char *key, bool value)
{
    json_t *json = vectors_take(object, key);
    assert_true(json_is_boolean(json));
    assert_int_equal(json_is_true(json), value);
    json_decref(json);
}

void expect_text(json_t *object, const char *key, struct reload_slice value)
{
    json_t *json = vectors_take(object, key);
    assert_true(json_is_string(json));
    assert_slice_equal(value, reload_slice_of(json_string_value(json), json_string_length(json)));
    json_decref(json);
}

void expect_word(json_t *object, const char *key, const char *value)
{
    expect_text(object, key, reload_slice_of(value, strlen(value)));
}

void expect_hex(json_t *object, const char *key, struct reload_slice value)
{
    json_t *json = vectors_take(object, key);
    assert_true(json_is_string(json));
    assert_slice_equal(value, vectors_bytes(json_string_value(json)));
    json_decref(json);
}

void expect_hex_number(json_t *object, const char *key, uint64_t value)
{
    json_t *json = vectors_take(object, key);
    assert_true(json_is_string(json));
    assert_true(strtoull(json_string_value(json), NULL, 16) == value);
    json_decref(json);
}

void expect_coded(json_t *object, const char *key, unsigned code)
{
    json_t *json = vectors_take(object, key);
    assert_true(json_is_string(json));
    const char *number = strchr(json_string_value(json), '(');
    assert_non_null(number);
    assert_int_equal(strtoul(number + 1, NULL, 10), code);
    json_decref(json);
}

/* --- shared structures --- */

void expect_destination(json_t *object, const struct reload_destination *d)
{
    static const char *const names[] = { "invalid", "node", "resource", "opaque_id_type" };
    assert_true(d->type < COUNT(names));
    expect_word(object, "type", names[d->type]);
    expect_hex(object, "data", d->id);
    expect_boolean(object, "compact", d->compact);
    vectors_all_taken(object);
}

void expect_destinations(json_t *list, struct reload_slice wire)
{
    assert_true(json_is_array(list));
    struct reload_reader r = reload_reader_over(wire);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct reload_destination d;
        assert_true(reload_destination_next(&r, RECODE_NODE_ID_LEN, &d));
        expect_destination(json_array_get(list, i), &d);
    }
    assert_int_equal(reload_reader_finish(&r), 0);
}

void expect_address_text(json_t *object, const char *key,
                         const struct reload_ip_address_port *address)
{
    char text[INET6_ADDRSTRLEN];
    int family = address->type == RELOAD_ADDRESS_IPV4 ? AF_INET : AF_INET6;
    assert_non_null(inet_ntop(family, address->address.p, text, sizeof text));
    expect_word(object, key, text);
}

static void expect_address(json_t *object, const struct reload_ip_address_port *address)
{
    static const char *const types[] = { "invalid", "ipv4_address", "ipv6_address" };
    assert_true(address->type < COUNT(types));
    expect_word(object, "addr_type", types[address->type]);
    expect_address_text(object, "addr", address);
    expect_number(object, "port", address->port);
}

static const char *link_name(uint8_t overlay_link)
{
    switch (overlay_link) {
    case RELOAD_OVERLAY_LINK_DTLS_UDP_SR: return "DTLS_UDP_SR";
    case RELOAD_OVERLAY_LINK_DTLS_UDP_SR_NO_ICE: return "DTLS_UDP_SR_NO_ICE";
    case RELOAD_OVERLAY_LINK_TLS_TCP_FH_NO_ICE: return "TLS_TCP_FH_NO_ICE";
    }
    return "unknown";
}

void expect_candidate(json_t *object, const struct reload_ice_candidate *candidate)
{
    static const char *const types[] = { "invalid", "host", "srflx", "reserved", "relay" };
    expect_address(object, &candidate->addr_port);
    expect_word(object, "overlay_link", link_name(candidate->overlay_link));
    expect_text(object, "foundation", candidate->foundation);
    expect_number(object, "priority", candidate->priority);
    expect_word(object, "type", types[candidate->type]);
    json_t *related = vectors_take_if(object, "related");
    assert_int_equal(related != NULL, candidate->type != RELOAD_CANDIDATE_HOST);
    if (related != NULL) {
        expect_address(related, &candidate->rel_addr_port);
        vectors_all_taken(related);
    }
    json_decref(related);
    json_t *extensions = vectors_take(object, "extensions");
    struct reload_reader r = reload_reader_over(candidate->extensions);
    for (size_t i = 0; i < json_array_size(extensions); i++) {
        json_t *pair = json_array_get(extensions, i);
        struct reload_ice_extension extension;
        assert_true(reload_ice_extension_next(&r, &extension));
        const char *name = json_string_value(json_array_get(pair, 0));
        const char *value = json_string_value(json_array_get(pair, 1));
        assert_slice_equal(extension.name, reload_slice_of(name, strlen(name)));
        assert_slice_equal(extension.value, reload_slice_of(value, strlen(value)));
    }
    assert_int_equal(reload_reader_finish(&r), 0);
    json_decref(extensions);
    vectors_all_taken(object);
}

/* Some values are given by a description of their content. */
static void expect_described(const char *description, struct reload_slice value)
{
    if (strncmp(description, "DER certificate of keys.json rsa", 32) == 0) {
        assert_slice_equal(value, vectors_certificate("rsa"));
    } else if (strstr(description, "(TurnServer)") != NULL) {
        struct reload_turn_server server;
        assert_int_equal(reload_turn_server_decode(value, &server), 0);
        char address[INET_ADDRSTRLEN], text[128];
        assert_non_null(
            inet_ntop(AF_INET, server.server_address.address.p, address, sizeof address));
        (void)snprintf(text, sizeof text, "iteration %u + IpAddressPort %s:%u (TurnServer)",
                       server.iteration, address, server.server_address.port);
        assert_string_equal(description, text);
        check_good("TurnServer", value);
    } else {
        assert_string_equal(description, "");
        assert_int_equal(value.n, 0);
    }
}

void expect_stored_value(json_t *object, const struct reload_stored_data_value *value)
{
    assert_int_equal(json_object_get(object, "index") != NULL, value->model == RELOAD_MODEL_ARRAY);
    assert_int_equal(json_object_get(object, "key") != NULL,
                     value->model == RELOAD_MODEL_DICTIONARY);
    if (value->model == RELOAD_MODEL_ARRAY)
        expect_number(object, "index", value->index);
    if (value->model == RELOAD_MODEL_DICTIONARY)
        expect_hex(object, "key", value->key);
    expect_boolean(object, "exists", value->data.exists);
    json_t *content = vectors_take(object, "value");
    if (json_is_object(content))
        expect_hex(content, "hex", value->data.value);
    else
        expect_described(json_string_value(content), value->data.value);
    json_decref(content);
    vectors_all_taken(object);
}
