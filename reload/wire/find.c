#include "reload/wire/find.h"

int reload_find_req_decode(struct reload_slice body, struct reload_find_req *out)
{
    struct reload_reader r = reload_reader_over(body);
    out->resource = reload_rd_opaque8(&r);
    out->kinds = reload_rd_opaque8(&r);
    if (out->kinds.n % 4 != 0) /* RFC 6940 s6.3.1: whole elements */
        reload_rd_fail(&r);
    return reload_reader_finish(&r);
}

int reload_find_req_encode(struct reload_writer *w, const struct reload_find_req *req)
{
    reload_wr_opaque8(w, req->resource);
    reload_wr_opaque8(w, req->kinds);
    return reload_writer_status(w);
}

int reload_find_req_validate(const struct reload_find_req *req)
{
    struct reload_reader rest = reload_reader_over(req->kinds);
    uint32_t kind, other;
    while (reload_kind_id_next(&rest, &kind)) {
        struct reload_reader later = rest;
        while (reload_kind_id_next(&later, &other))
            if (other == kind)
                return RELOAD_E_INVALID; /* s7.4.4.1 */
    }
    return 0;
}

int reload_find_ans_decode(struct reload_slice body, struct reload_find_ans *out)
{
    struct reload_reader r = reload_reader_over(body);
    out->results = reload_rd_opaque16(&r);
    struct reload_reader results = reload_reader_over(out->results);
    struct reload_find_kind_data data;
    while (reload_find_kind_data_next(&results, &data))
        ;
    reload_rd_close(&r, &results);
    return reload_reader_finish(&r);
}

int reload_find_ans_encode(struct reload_writer *w, const struct reload_find_ans *ans)
{
    reload_wr_opaque16(w, ans->results);
    return reload_writer_status(w);
}

int reload_find_kind_data_decode(struct reload_reader *r, struct reload_find_kind_data *out)
{
    out->kind = reload_rd_u32(r);
    out->closest = reload_rd_opaque8(r);
    return reload_reader_status(r);
}

int reload_find_kind_data_encode(struct reload_writer *w, const struct reload_find_kind_data *data)
{
    reload_wr_u32(w, data->kind);
    reload_wr_opaque8(w, data->closest);
    return reload_writer_status(w);
}

bool reload_find_kind_data_next(struct reload_reader *list, struct reload_find_kind_data *out)
{
    return reload_reader_more(list) && reload_find_kind_data_decode(list, out) == 0;
}
