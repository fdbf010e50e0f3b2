#ifndef RELOAD_WIRE_DESTINATION_H
#define RELOAD_WIRE_DESTINATION_H

#include "reload/wire/id.h"

/* Destination and Via List entries (RFC 6940 s6.3.2.2). */

enum reload_dest_type {
    RELOAD_DEST_INVALID = 0,
    RELOAD_DEST_NODE = 1,
    RELOAD_DEST_RESOURCE = 2,
    RELOAD_DEST_OPAQUE = 3,
};

struct reload_destination {
    uint8_t type;           /* enum reload_dest_type, or a type this code does not know */
    bool compact;           /* the 16-bit form: type is OPAQUE and id is 2 bytes, top bit set */
    struct reload_slice id; /* without its own length byte; borrowed from the input */
};

/* Reads one entry. node_id_len: the overlay's NodeIdLength in bytes, 16..20 (s11.1).
 * Returns 0, or RELOAD_E_DECODE with *out unspecified: cut short, type 0, inner and outer length
 * that disagree, a node entry of another length or of all zeros. An unknown type is no error. */
RELOAD_MUST_USE int reload_destination_decode(struct reload_reader *r, size_t node_id_len,
                                              struct reload_destination *out);
/* Writes one entry in the form `compact` asks for. Returns 0, or RELOAD_E_NOSPACE: buffer or length
 * byte too small, or an entry that the wire cannot carry: a type that is 0 or above 127, a node of
 * all zeros or outside 16..20 bytes, an id that does not fit the compact form. */
RELOAD_MUST_USE int reload_destination_encode(struct reload_writer *w,
                                              const struct reload_destination *destination);

/* Walks a list: true with the next entry, false at its end or when the reader has failed, which
 * the lists of a decoded header cannot. */
bool reload_destination_next(struct reload_reader *list, size_t node_id_len,
                             struct reload_destination *out);

/* Entries to hand to reload_destination_encode(). What they point to is borrowed. */
struct reload_destination reload_destination_node(const struct reload_node_id *id);
struct reload_destination reload_destination_resource(struct reload_slice resource_id);
struct reload_destination reload_destination_opaque(struct reload_slice opaque_id);

/* The same type and id; s6.3.2.2 makes no difference between the two forms of an opaque id. */
bool reload_destination_equal(const struct reload_destination *a,
                              const struct reload_destination *b);
/* Type NODE with exactly this Node-ID. */
bool reload_destination_is_node(const struct reload_destination *destination,
                                const struct reload_node_id *id);

/* The rules beyond grammar. Both return 0, RELOAD_E_INVALID when one is broken, or RELOAD_E_DECODE
 * when the bytes are no list. */
/* s6.3.2.2: a Via List holds no resource entry. */
RELOAD_MUST_USE int reload_via_list_validate(struct reload_slice list, size_t node_id_len);

/* A longer Destination List is refused: a TTL of 100 could not walk it, and looking for duplicates
 * would cost the receiver more than the sender. */
#define RELOAD_DESTINATION_LIST_MAX 128 /* entries */
/* s6.3.2.2: a resource entry is the last one. s13.6.5: no entry appears twice. Not empty. Also
 * RELOAD_E_LIMIT above RELOAD_DESTINATION_LIST_MAX. */
RELOAD_MUST_USE int reload_destination_list_validate(struct reload_slice list, size_t node_id_len);

/* Writes a Via List as a Destination List: its entries in reverse order (s6.2.2). `list` must not
 * lie in the writer's buffer. Returns 0, RELOAD_E_NOSPACE, or RELOAD_E_DECODE when it is no list.
 */
RELOAD_MUST_USE int reload_via_list_reverse(struct reload_writer *w, struct reload_slice list,
                                            size_t node_id_len);

#endif
