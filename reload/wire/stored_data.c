#include "reload/wire/stored_data.h"

int reload_stored_data_value_decode(struct reload_reader *r, enum reload_data_model model,
                                    struct reload_stored_data_value *out)
{
    *out = (struct reload_stored_data_value){ .model = model };
    const uint8_t *start = r->p;
    switch (model) {
    case RELOAD_MODEL_SINGLE: break;
    case RELOAD_MODEL_ARRAY: out->index = reload_rd_u32(r); break;
    case RELOAD_MODEL_DICTIONARY: out->key = reload_rd_opaque16(r); break;
    }
    out->data.exists = reload_rd_boolean(r);
    out->data.value = reload_rd_opaque32(r);
    out->raw = reload_rd_since(r, start);
    return reload_reader_status(r);
}

int reload_stored_data_value_encode(struct reload_writer *w,
                                    const struct reload_stored_data_value *value)
{
    switch (value->model) {
    case RELOAD_MODEL_SINGLE: break;
    case RELOAD_MODEL_ARRAY: reload_wr_u32(w, value->index); break;
    case RELOAD_MODEL_DICTIONARY: reload_wr_opaque16(w, value->key); break;
    }
    reload_wr_boolean(w, value->data.exists);
    reload_wr_opaque32(w, value->data.value);
    return reload_writer_status(w);
}

int reload_stored_data_decode(struct reload_reader *r, enum reload_data_model model,
                              struct reload_stored_data *out)
{
    const uint8_t *start = r->p;
    struct reload_reader rest = reload_rd_open32(r); /* RFC 6940 s7: length excludes itself */
    out->storage_time_ms = reload_rd_u64(&rest);
    out->lifetime_s = reload_rd_u32(&rest);
    if (reload_stored_data_value_decode(&rest, model, &out->value) != 0 ||
        reload_signature_decode(&rest, &out->signature) != 0)
        reload_rd_fail(&rest);
    reload_rd_close(r, &rest);
    out->raw = reload_rd_since(r, start);
    return reload_reader_status(r);
}

int reload_stored_data_encode(struct reload_writer *w, const struct reload_stored_data *data)
{
    size_t mark = reload_wr_open32(w);
    reload_wr_u64(w, data->storage_time_ms);
    reload_wr_u32(w, data->lifetime_s);
    if (reload_stored_data_value_encode(w, &data->value) != 0 ||
        reload_signature_encode(w, &data->signature) != 0)
        return RELOAD_E_NOSPACE;
    reload_wr_close32(w, mark);
    return reload_writer_status(w);
}

bool reload_stored_data_next(struct reload_reader *values, enum reload_data_model model,
                             struct reload_stored_data *out)
{
    return reload_reader_more(values) && reload_stored_data_decode(values, model, out) == 0;
}

bool reload_stored_data_next_raw(struct reload_reader *values, struct reload_slice *raw)
{
    if (!reload_reader_more(values))
        return false;
    const uint8_t *start = values->p;
    (void)reload_rd_opaque32(values);
    *raw = reload_rd_since(values, start);
    return !values->failed;
}
