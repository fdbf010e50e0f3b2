#ifndef RELOAD_TESTS_WIRE_VECTORS_H
#define RELOAD_TESTS_WIRE_VECTORS_H

#include <jansson.h>

#include "check.h"

/* The byte vectors of tests/data/vectors. */

/* A file's list of entries, without ".json"; the caller releases it with json_decref(). */
json_t *vectors_load(const char *file);

/* Bytes of a hexadecimal string. They stay until vectors_free(). */
struct reload_slice vectors_bytes(const char *hex);
/* The DER certificate of a key in keys.json: "rsa" or "ec". It stays until vectors_free(). */
struct reload_slice vectors_certificate(const char *key);
void vectors_free(void);

/* The value of a key that must be there. It is removed from the object, so that a test can tell at
 * the end, with vectors_all_taken(), that it has compared everything. The caller releases it. */
json_t *vectors_take(json_t *object, const char *key);
json_t *vectors_take_if(json_t *object, const char *key); /* NULL when it is not there */
void vectors_all_taken(const json_t *object);

/* Take a key and compare it. */
void expect_number(json_t *object, const char *key, uint64_t value);
void expect_boolean(json_t *object, const char *key, bool value);
void expect_text(json_t *object, const char *key, struct reload_slice value);
void expect_word(json_t *object, const char *key, const char *value);
void expect_hex(json_t *object, const char *key, struct reload_slice value);
void expect_hex_number(json_t *object, const char *key, uint64_t value); /* "c0000000" */
void expect_coded(json_t *object, const char *key, unsigned code);       /* "neighbors(2)" */

/* Structures that several files hold, each consuming its object. */
struct reload_destination;
struct reload_ice_candidate;
struct reload_ip_address_port;
struct reload_stored_data_value;
void expect_destination(json_t *object, const struct reload_destination *destination);
void expect_destinations(json_t *list, struct reload_slice wire);
void expect_address_text(json_t *object, const char *key,
                         const struct reload_ip_address_port *address);
void expect_candidate(json_t *object, const struct reload_ice_candidate *candidate);
void expect_stored_value(json_t *object, const struct reload_stored_data_value *value);

#endif
