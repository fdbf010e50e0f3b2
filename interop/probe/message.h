#ifndef INTEROP_PROBE_MESSAGE_H
#define INTEROP_PROBE_MESSAGE_H

#include "interop/probe/template.h"

/* A message that came (RFC 6940 s6.3), cut into its fields by offsets written down here. */

#define PROBE_HEADER_LEN 38

struct probe_message {
    struct probe_link *link;   /* it came over */
    struct probe_actor *actor; /* whose link that is */
    struct reload_slice raw;   /* owned */
    struct reload_slice token, overlay, sequence, version, ttl, fragment, length, transaction,
        max_response, via, dest, options;
    struct reload_slice payload; /* behind the forwarding header */
    struct reload_slice code, body, extensions;
    struct reload_slice contents; /* code to extensions, lengths included */
    struct reload_slice certificates, algorithms, identity, signature;
    bool taken; /* a case has looked at it */
};

/* Cuts raw[0..) up to the payload. 0, or -1 with a fault. */
int probe_message_header(struct probe_message *m, struct probe_fault *fault);
/* Cuts the payload: m->payload is whole. The same. */
int probe_message_payload(struct probe_message *m, struct probe_fault *fault);
/* A field by its name, as interop/probe/cases/base.probe names them; NULL for none of them. */
const struct reload_slice *probe_message_field(const struct probe_message *m, const char *name);

uint64_t probe_number(struct reload_slice bytes); /* big-endian, up to 8 bytes */

#endif
