#ifndef RELOAD_WIRE_ID_H
#define RELOAD_WIRE_ID_H

#include "reload/wire/cursor.h"

/* Node-IDs and Resource-IDs as values (RFC 6940 s6.3.1.1). On the wire a NodeId is NodeIdLength raw
 * bytes, the length being a fact of the overlay; a ResourceId is a vector<0..2^8-1>. */

#define RELOAD_NODE_ID_MAX     20
#define RELOAD_NODE_ID_MIN     16
#define RELOAD_RESOURCE_ID_MAX 255

struct reload_node_id {
    uint8_t len;                       /* NodeIdLength of the overlay: 16..20; 0 = no Node-ID */
    uint8_t bytes[RELOAD_NODE_ID_MAX]; /* bytes past len are zero */
};

/* A Resource-ID is passed as a slice; who keeps one copies its bytes. */

static inline struct reload_slice reload_node_id_slice(const struct reload_node_id *id)
{
    return (struct reload_slice){ id->bytes, id->len };
}

/* From len bytes; a length above RELOAD_NODE_ID_MAX gives the empty id (len 0). */
struct reload_node_id reload_node_id_from(struct reload_slice s);
/* Whether this can be one: 16 to 20 bytes, not all zero, which s3 calls the invalid value. */
bool reload_node_id_is_valid(struct reload_slice s);
/* Reads NodeIdLength bytes; the reader fails when they are no valid Node-ID. */
struct reload_node_id reload_rd_node_id(struct reload_reader *r, size_t node_id_len);
/* Fails the writer when it is no valid Node-ID. */
void reload_wr_node_id(struct reload_writer *w, const struct reload_node_id *id);

/* A vector<0..2^16-1> of NodeIds, each of them valid; the reader fails otherwise. */
struct reload_slice reload_rd_node_ids16(struct reload_reader *r, size_t node_id_len);
/* Walks a list of NodeIds, node_id_len bytes each: true with the next one, false at the end or when
 * the reader has failed, which the lists of a decoded body cannot. */
bool reload_node_id_next(struct reload_reader *list, size_t node_id_len,
                         struct reload_node_id *out);

bool reload_node_id_equal(const struct reload_node_id *a, const struct reload_node_id *b);
/* Unsigned big-endian order: <0, 0, >0. Lengths must be equal. */
int reload_node_id_compare(const struct reload_node_id *a, const struct reload_node_id *b);
bool reload_node_id_is_wildcard(const struct reload_node_id *id); /* all ones, s3 */
struct reload_node_id reload_node_id_wildcard(size_t node_id_len);

#define RELOAD_NODE_ID_TEXT (2 * RELOAD_NODE_ID_MAX + 1)
/* Lower-case hexadecimal, NUL-terminated; returns text. */
const char *reload_node_id_text(const struct reload_node_id *id, char text[RELOAD_NODE_ID_TEXT]);

#endif
