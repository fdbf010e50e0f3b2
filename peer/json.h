#ifndef PEER_JSON_H
#define PEER_JSON_H

#include <jansson.h>

#include "reload/wire/id.h"

/* Small makers of JSON values. Each returns a new reference, or NULL without memory, which
 * jansson's ..._set_new() functions pass over. */

json_t *reload_json_hex(struct reload_slice bytes); /* lower-case hexadecimal */
json_t *reload_json_u64(uint64_t n);                /* a number; above 2^63-1 its decimal text */
json_t *reload_json_node_id(const struct reload_node_id *id); /* null for the empty id */
/* Text as it is when it is UTF-8 without control characters, else {"hex": ...}. */
json_t *reload_json_text(struct reload_slice bytes);
/* A stored or carried value: {"length": n, "hex": ..., "text": ...}, the text only where it is
 * some. */
json_t *reload_json_value(struct reload_slice bytes);

/* Reads hexadecimal digits, two a byte; colons and white space between bytes are passed over.
 * *out is the caller's, to be freed with free(). RELOAD_E_INVALID, with *at where it is wrong;
 * RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_hex_read(const char *text, size_t len, uint8_t **out, size_t *out_len,
                                    size_t *at);
/* A Node-ID from exactly 32 to 40 hexadecimal digits. RELOAD_E_INVALID. */
RELOAD_MUST_USE int reload_node_id_read(const char *text, struct reload_node_id *out);

#endif
