#include "vectors.h"

/* Every good vector, damaged in every small way: nothing is read out of bounds (the inputs are heap
 * blocks of their exact size, for the sanitizer's eyes) and what still decodes encodes back to the
 * damaged bytes. */

static const char *text_of(const json_t *entry, const char *key)
{
    const char *text = json_string_value(json_object_get(entry, key));
    assert_non_null(text);
    return text;
}

static size_t mutate(const char *structure, const char *hex)
{
    struct reload_slice wire = vectors_bytes(hex);
    return wire.n != 0 ? check_mutations(structure, wire) : 0;
}

static size_t mutate_element(const json_t *entry)
{
    const char *kind = text_of(entry, "kind");
    return recoder_named(kind) != NULL ? mutate(kind, text_of(entry, "hex")) : 0;
}

/* Here the vector alone is the message: what its length field says is one of the damages. */
static size_t mutate_header(const json_t *entry)
{
    struct reload_slice wire = vectors_bytes(text_of(entry, "hex"));
    uint8_t message[256];
    assert_true(wire.n <= sizeof message);
    memcpy(message, wire.p, wire.n);
    memcpy(message + 16, (uint8_t[]){ 0, 0, 0, (uint8_t)wire.n }, 4);
    return check_mutations("ForwardingHeader", reload_slice_of(message, wire.n));
}

static size_t mutate_body(const json_t *entry)
{
    const json_t *fields = json_object_get(entry, "fields");
    uint16_t code = (uint16_t)json_integer_value(json_object_get(fields, "message_code"));
    return mutate(recoder_of_body(code), text_of(entry, "hex")) +
           mutate("Message", text_of(entry, "message_hex"));
}

static size_t mutate_signed_message(const json_t *entry)
{
    return mutate("Message", text_of(entry, "hex")) +
           mutate("SecurityBlock", text_of(entry, "security_block_hex"));
}

static size_t mutate_stored_data(const json_t *entry)
{
    const char *hex = text_of(entry, "hex");
    return mutate("StoredData SINGLE", hex) + mutate("StoredData ARRAY", hex) +
           mutate("StoredData DICTIONARY", hex);
}

static void mutate_file(const char *file, size_t expected, size_t (*mutate_entry)(const json_t *))
{
    json_t *entries = vectors_load(file);
    assert_int_equal(json_array_size(entries), expected);
    size_t tried = 0;
    for (size_t i = 0; i < expected; i++)
        tried += mutate_entry(json_array_get(entries, i));
    print_message("%s: %zu variants\n", file, tried);
    assert_true(tried > 100 * expected);
    json_decref(entries);
    vectors_free();
}

static void damaged_elements_are_refused_or_kept(void **state)
{
    (void)state;
    mutate_file("danpascu_elements", 39, mutate_element);
}

static void damaged_headers_are_refused_or_kept(void **state)
{
    (void)state;
    mutate_file("danpascu_headers", 7, mutate_header);
}

static void damaged_bodies_are_refused_or_kept(void **state)
{
    (void)state;
    mutate_file("danpascu_bodies", 53, mutate_body);
}

static void damaged_messages_are_refused_or_kept(void **state)
{
    (void)state;
    mutate_file("danpascu_signed_messages", 7, mutate_signed_message);
}

static void damaged_stored_data_is_refused_or_kept(void **state)
{
    (void)state;
    mutate_file("danpascu_stored_data", 13, mutate_stored_data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_elements_are_refused_or_kept),
        cmocka_unit_test(damaged_headers_are_refused_or_kept),
        cmocka_unit_test(damaged_bodies_are_refused_or_kept),
        cmocka_unit_test(damaged_messages_are_refused_or_kept),
        cmocka_unit_test(damaged_stored_data_is_refused_or_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
