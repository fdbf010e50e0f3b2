#include "reload/wire/store.h"

int reload_store_req_decode(struct reload_slice body, struct reload_store_req *out)
{
    struct reload_reader r = reload_reader_over(body);
    out->resource = reload_rd_opaque8(&r);
    out->replica_number = reload_rd_u8(&r);
    out->kind_data = reload_rd_opaque32(&r);
    struct reload_reader kinds = reload_reader_over(out->kind_data);
    struct reload_store_kind_data kind;
    while (reload_store_kind_data_next(&kinds, &kind))
        ;
    reload_rd_close(&r, &kinds);
    return reload_reader_finish(&r);
}

int reload_store_req_encode(struct reload_writer *w, const struct reload_store_req *req)
{
    size_t mark = reload_store_req_begin(w, req->resource, req->replica_number);
    reload_wr_bytes(w, req->kind_data);
    reload_store_req_end(w, mark);
    return reload_writer_status(w);
}

int reload_store_kind_data_decode(struct reload_reader *r, struct reload_store_kind_data *out)
{
    out->kind = reload_rd_u32(r);
    out->generation_counter = reload_rd_u64(r);
    out->values = reload_rd_opaque32(r);
    return reload_reader_status(r);
}

int reload_store_kind_data_encode(struct reload_writer *w,
                                  const struct reload_store_kind_data *data)
{
    size_t mark = reload_store_kind_begin(w, data->kind, data->generation_counter);
    reload_wr_bytes(w, data->values);
    reload_store_kind_end(w, mark);
    return reload_writer_status(w);
}

bool reload_store_kind_data_next(struct reload_reader *list, struct reload_store_kind_data *out)
{
    return reload_reader_more(list) && reload_store_kind_data_decode(list, out) == 0;
}

size_t reload_store_req_begin(struct reload_writer *w, struct reload_slice resource,
                              uint8_t replica_number)
{
    reload_wr_opaque8(w, resource);
    reload_wr_u8(w, replica_number);
    return reload_wr_open32(w);
}

void reload_store_req_end(struct reload_writer *w, size_t mark)
{
    reload_wr_close32(w, mark);
}

size_t reload_store_kind_begin(struct reload_writer *w, uint32_t kind, uint64_t generation_counter)
{
    reload_wr_u32(w, kind);
    reload_wr_u64(w, generation_counter);
    return reload_wr_open32(w);
}

void reload_store_kind_end(struct reload_writer *w, size_t mark)
{
    reload_wr_close32(w, mark);
}

int reload_store_ans_decode(struct reload_slice body, size_t node_id_len,
                            struct reload_store_ans *out)
{
    struct reload_reader r = reload_reader_over(body);
    out->kind_responses = reload_rd_opaque16(&r);
    struct reload_reader responses = reload_reader_over(out->kind_responses);
    struct reload_store_kind_response response;
    while (reload_store_kind_response_next(&responses, node_id_len, &response))
        ;
    reload_rd_close(&r, &responses);
    return reload_reader_finish(&r);
}

int reload_store_ans_encode(struct reload_writer *w, const struct reload_store_ans *ans)
{
    reload_wr_opaque16(w, ans->kind_responses);
    return reload_writer_status(w);
}

int reload_store_kind_response_decode(struct reload_reader *r, size_t node_id_len,
                                      struct reload_store_kind_response *out)
{
    out->kind = reload_rd_u32(r);
    out->generation_counter = reload_rd_u64(r);
    out->replicas = reload_rd_node_ids16(r, node_id_len);
    return reload_reader_status(r);
}

int reload_store_kind_response_encode(struct reload_writer *w,
                                      const struct reload_store_kind_response *response)
{
    reload_wr_u32(w, response->kind);
    reload_wr_u64(w, response->generation_counter);
    reload_wr_opaque16(w, response->replicas);
    return reload_writer_status(w);
}

bool reload_store_kind_response_next(struct reload_reader *list, size_t node_id_len,
                                     struct reload_store_kind_response *out)
{
    return reload_reader_more(list) &&
           reload_store_kind_response_decode(list, node_id_len, out) == 0;
}

size_t reload_store_ans_begin(struct reload_writer *w)
{
    return reload_wr_open16(w);
}

void reload_store_ans_end(struct reload_writer *w, size_t mark)
{
    reload_wr_close16(w, mark);
}
