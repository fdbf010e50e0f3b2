#ifndef PEER_DECODE_DECODE_H
#define PEER_DECODE_DECODE_H

#include <jansson.h>

#include "reload/config/config.h"

/* RELOAD bytes as JSON, for people and scripts: what `reload decode` prints. */

struct reload_decode_options {
    size_t node_id_len; /* bytes; 16 unless the overlay says otherwise */
    const struct reload_config
        *config; /* its Kinds give the data models; NULL: the RFC's own only */
};

/* Decodes an input of any form: hexadecimal text, a pcap file, or bytes; these being messages,
 * frames, or any number of either in a row. *out is an array of one object for each, the caller's
 * to release. An object that could not be read to its end holds "error": {"offset", "what"}: the
 * offset counts from the start of its message's bytes, or from the input's for what is no message.
 * Returns 0; RELOAD_E_DECODE when at least one object has an error; RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_decode_input(struct reload_slice input,
                                        const struct reload_decode_options *options, json_t **out);

/* The same for a message body alone, as hexadecimal text or bytes; `name` is the registry's of its
 * message. RELOAD_E_NOT_FOUND: no such name. */
RELOAD_MUST_USE int reload_decode_input_body(struct reload_slice input, const char *name,
                                             const struct reload_decode_options *options,
                                             json_t **out);

/* One message without framing, as above. */
RELOAD_MUST_USE int reload_decode_message(struct reload_slice message,
                                          const struct reload_decode_options *options,
                                          json_t **out);

/* One message body by its message code; NULL when it is malformed. Error's too. */
json_t *reload_decode_body(uint16_t code, struct reload_slice body,
                           const struct reload_decode_options *options);

#endif
