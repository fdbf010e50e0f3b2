#ifndef USAGE_SIP_GRUU_H
#define USAGE_SIP_GRUU_H

#include "usage-sip/aor.h"

/* GRUUs of an overlay (RFC 7904 s6): "alice@dht.example.com;gr=ARAB...". The parameter is a
 * Destination List in base64 (RFC 4648 Table 1) with "~" for "=", so no lookup is needed. */

#define RELOAD_SIP_GRUU_LIST_MAX      512 /* bytes of a destination list: 28 Node-IDs */
#define RELOAD_SIP_GRUU_PARAMETER_MAX (4 + (RELOAD_SIP_GRUU_LIST_MAX + 2) / 3 * 4) /* ";gr=..." */
#define RELOAD_SIP_GRUU_MAX           (RELOAD_SIP_AOR_MAX + RELOAD_SIP_GRUU_PARAMETER_MAX)

struct reload_sip_gruu {
    struct reload_sip_aor aor;
    uint8_t list[RELOAD_SIP_GRUU_LIST_MAX];
    size_t list_len;
};

/* Reads a URI with a "gr" parameter; a scheme and other parameters may be there. A list that begins
 * with its own length in 16 bits is understood too: the RFC's example has 20 bytes, which is what
 * one Node-ID would need so, and a list itself cannot begin with 0. 0; RELOAD_E_NOT_FOUND when
 * there is no "gr", or it holds no Destination List, as those of RFC 5627 do ("urn:uuid:..."), with
 * out->aor set: such a URI is like any of its address of record. Otherwise the errors of
 * reload_sip_aor_read(). */
RELOAD_MUST_USE int reload_sip_gruu_read(struct reload_slice text, size_t node_id_len,
                                         struct reload_sip_gruu *out);

/* Writes "AOR;gr=..." without a scheme, NUL-terminated; `out` holds RELOAD_SIP_GRUU_MAX + 1 bytes.
 * RELOAD_E_LIMIT for a list that is empty or longer than RELOAD_SIP_GRUU_LIST_MAX. */
RELOAD_MUST_USE int reload_sip_gruu_write(const struct reload_sip_aor *aor,
                                          struct reload_slice list, char *out);

#endif
