#ifndef RELOAD_WIRE_STORE_H
#define RELOAD_WIRE_STORE_H

#include "reload/wire/id.h"
#include "reload/wire/stored_data.h"

/* Store (RFC 6940 s7.4.1). */

struct reload_store_req {
    struct reload_slice resource;
    uint8_t replica_number;
    struct reload_slice kind_data; /* for reload_store_kind_data_next() */
};

struct reload_store_kind_data {
    uint32_t kind;
    uint64_t generation_counter;
    struct reload_slice values; /* for reload_stored_data_next(), once the Kind's model is known */
};

struct reload_store_ans {
    struct reload_slice kind_responses; /* for reload_store_kind_response_next() */
};

struct reload_store_kind_response {
    uint32_t kind;
    uint64_t generation_counter;
    struct reload_slice replicas; /* for reload_node_id_next() */
};

/* Decode returns 0, or RELOAD_E_DECODE with *out unspecified; encode returns 0, or
 * RELOAD_E_NOSPACE. The lists of a decoded body have been walked to their exact end, except that
 * `values` is stepped over: its grammar depends on the Kind. */
RELOAD_MUST_USE int reload_store_req_decode(struct reload_slice body, struct reload_store_req *out);
RELOAD_MUST_USE int reload_store_req_encode(struct reload_writer *w,
                                            const struct reload_store_req *req);
RELOAD_MUST_USE int reload_store_kind_data_decode(struct reload_reader *r,
                                                  struct reload_store_kind_data *out);
RELOAD_MUST_USE int reload_store_kind_data_encode(struct reload_writer *w,
                                                  const struct reload_store_kind_data *data);
bool reload_store_kind_data_next(struct reload_reader *list, struct reload_store_kind_data *out);

/* To write a StoreReq in place: begin, then for each Kind begin, reload_stored_data_encode()...,
 * end, then end. The marks nest; errors show in the writer's status. */
size_t reload_store_req_begin(struct reload_writer *w, struct reload_slice resource,
                              uint8_t replica_number);
void reload_store_req_end(struct reload_writer *w, size_t mark);
size_t reload_store_kind_begin(struct reload_writer *w, uint32_t kind, uint64_t generation_counter);
void reload_store_kind_end(struct reload_writer *w, size_t mark);

/* Also the error_info of Error_Generation_Counter_Too_Low. */
RELOAD_MUST_USE int reload_store_ans_decode(struct reload_slice body, size_t node_id_len,
                                            struct reload_store_ans *out);
RELOAD_MUST_USE int reload_store_ans_encode(struct reload_writer *w,
                                            const struct reload_store_ans *ans);
RELOAD_MUST_USE int reload_store_kind_response_decode(struct reload_reader *r, size_t node_id_len,
                                                      struct reload_store_kind_response *out);
RELOAD_MUST_USE int
reload_store_kind_response_encode(struct reload_writer *w,
                                  const struct reload_store_kind_response *response);
bool reload_store_kind_response_next(struct reload_reader *list, size_t node_id_len,
                                     struct reload_store_kind_response *out);
/* To write a StoreAns in place: begin, reload_store_kind_response_encode()..., end. */
size_t reload_store_ans_begin(struct reload_writer *w);
void reload_store_ans_end(struct reload_writer *w, size_t mark);

#endif
