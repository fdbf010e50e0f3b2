#ifndef PEER_DECODE_PRINT_H
#define PEER_DECODE_PRINT_H

#include "peer/decode/decode.h"
#include "peer/json.h"
#include "reload/wire/address.h"
#include "reload/wire/destination.h"
#include "reload/wire/message.h"

/* Inside of peer/decode: one printing function per structure. Each returns a new JSON value; what
 * it cannot read it notes as a fault and leaves out. */

struct reload_decode {
    const struct reload_decode_options *options;
    const uint8_t *base; /* offsets count from here */
    json_t *fault;       /* the first one, or NULL */
};

/* Notes that the structure that starts at `where` is not what the RFC says. Only the first counts.
 */
void reload_decode_fault(struct reload_decode *d, const uint8_t *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

json_t *reload_decode_header(struct reload_decode *d,
                             const struct reload_forwarding_header *header);
json_t *reload_decode_destination(const struct reload_destination *destination);
json_t *reload_decode_security(const struct reload_security_block *block);
json_t *reload_decode_signature(const struct reload_signature *signature);
json_t *reload_decode_certificate(struct reload_slice der);
/* null when it is none (RFC 7904 s3.2) */
json_t *reload_decode_sip_registration(struct reload_slice value, size_t node_id_len);
json_t *reload_decode_address(const struct reload_ip_address_port *address);

/* A message body by its code; NULL and a fault when it is malformed. */
typedef json_t *reload_decode_body_function(struct reload_decode *d, struct reload_slice body);
reload_decode_body_function reload_decode_attach, reload_decode_app_attach, reload_decode_store_req,
    reload_decode_store_ans, reload_decode_fetch_req, reload_decode_fetch_ans,
    reload_decode_stat_ans, reload_decode_find_req, reload_decode_find_ans, reload_decode_join_req,
    reload_decode_join_ans, reload_decode_leave_req, reload_decode_update_req,
    reload_decode_route_query_req, reload_decode_route_query_ans, reload_decode_probe_req,
    reload_decode_probe_ans, reload_decode_ping_req, reload_decode_ping_ans,
    reload_decode_config_update_req, reload_decode_empty, reload_decode_error;

/* A classic pcap file: appends one object for each frame in it. */
int reload_decode_pcap(struct reload_slice file, const struct reload_decode_options *options,
                       json_t *out);
/* Bytes that are frames or messages in a row, likewise; `note` (may be NULL) is merged into each.
 */
int reload_decode_bytes(struct reload_slice bytes, const struct reload_decode_options *options,
                        json_t *note, json_t *out);

#endif
