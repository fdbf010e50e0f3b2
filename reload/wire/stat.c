#include "reload/wire/stat.h"

static void read_meta_data(struct reload_reader *r, struct reload_meta_data *out)
{
    out->exists = reload_rd_boolean(r);
    out->value_length = reload_rd_u32(r);
    out->hash_algorithm = reload_rd_u8(r);
    out->hash_value = reload_rd_opaque8(r);
}

int reload_stored_meta_data_decode(struct reload_reader *r, enum reload_data_model model,
                                   struct reload_stored_meta_data *out)
{
    *out = (struct reload_stored_meta_data){ .model = model };
    const uint8_t *start = r->p;
    struct reload_reader rest = reload_rd_open32(r); /* RFC 6940 s7.4.3.2, read as in StoredData */
    out->storage_time_ms = reload_rd_u64(&rest);
    out->lifetime_s = reload_rd_u32(&rest);
    switch (model) {
    case RELOAD_MODEL_SINGLE: break;
    case RELOAD_MODEL_ARRAY: out->index = reload_rd_u32(&rest); break;
    case RELOAD_MODEL_DICTIONARY: out->key = reload_rd_opaque16(&rest); break;
    }
    read_meta_data(&rest, &out->data);
    reload_rd_close(r, &rest);
    out->raw = reload_rd_since(r, start);
    return reload_reader_status(r);
}

int reload_stored_meta_data_encode(struct reload_writer *w,
                                   const struct reload_stored_meta_data *data)
{
    size_t mark = reload_wr_open32(w);
    reload_wr_u64(w, data->storage_time_ms);
    reload_wr_u32(w, data->lifetime_s);
    switch (data->model) {
    case RELOAD_MODEL_SINGLE: break;
    case RELOAD_MODEL_ARRAY: reload_wr_u32(w, data->index); break;
    case RELOAD_MODEL_DICTIONARY: reload_wr_opaque16(w, data->key); break;
    }
    reload_wr_boolean(w, data->data.exists);
    reload_wr_u32(w, data->data.value_length);
    reload_wr_u8(w, data->data.hash_algorithm);
    reload_wr_opaque8(w, data->data.hash_value);
    reload_wr_close32(w, mark);
    return reload_writer_status(w);
}

bool reload_stored_meta_data_next(struct reload_reader *values, enum reload_data_model model,
                                  struct reload_stored_meta_data *out)
{
    return reload_reader_more(values) && reload_stored_meta_data_decode(values, model, out) == 0;
}
