#ifndef RELOAD_WIRE_STAT_H
#define RELOAD_WIRE_STAT_H

#include "reload/wire/fetch.h"

/* Stat (RFC 6940 s7.4.3). StatReq is a FetchReq; StatAns is a FetchAns whose values are
 * StoredMetaData. */

struct reload_meta_data {
    bool exists;
    uint32_t value_length;          /* bytes of the stored value */
    uint8_t hash_algorithm;         /* enum reload_hash_algorithm */
    struct reload_slice hash_value; /* over the value with its 4 length bytes */
};

struct reload_stored_meta_data {
    uint64_t storage_time_ms; /* Unix time */
    uint32_t lifetime_s;
    enum reload_data_model model;
    uint32_t index;          /* ARRAY (ArrayEntryMeta), else 0 */
    struct reload_slice key; /* DICTIONARY (DictionaryEntryMeta), else empty */
    struct reload_meta_data data;
    struct reload_slice raw; /* the structure as received, with its length; not read by encode */
};

/* Reads one element. The value_length in front is the size of the rest of the structure, as the
 * length of StoredData is. Returns 0, or RELOAD_E_DECODE with *out unspecified. */
RELOAD_MUST_USE int reload_stored_meta_data_decode(struct reload_reader *r,
                                                   enum reload_data_model model,
                                                   struct reload_stored_meta_data *out);
/* Returns 0, or RELOAD_E_NOSPACE. */
RELOAD_MUST_USE int reload_stored_meta_data_encode(struct reload_writer *w,
                                                   const struct reload_stored_meta_data *data);
/* Walks a `values` list: true with the next element, false at the end or when the reader has
 * failed: check reload_reader_status(). */
bool reload_stored_meta_data_next(struct reload_reader *values, enum reload_data_model model,
                                  struct reload_stored_meta_data *out);

#endif
