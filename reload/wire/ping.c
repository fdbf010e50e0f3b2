#include "reload/wire/ping.h"

int reload_ping_req_decode(struct reload_slice body, struct reload_ping_req *out)
{
    struct reload_reader r = reload_reader_over(body);
    out->padding = reload_rd_opaque16(&r);
    return reload_reader_finish(&r);
}

int reload_ping_req_encode(struct reload_writer *w, const struct reload_ping_req *req)
{
    reload_wr_opaque16(w, req->padding);
    return reload_writer_status(w);
}

int reload_ping_ans_decode(struct reload_slice body, struct reload_ping_ans *out)
{
    struct reload_reader r = reload_reader_over(body);
    out->response_id = reload_rd_u64(&r);
    out->time_ms = reload_rd_u64(&r);
    return reload_reader_finish(&r);
}

int reload_ping_ans_encode(struct reload_writer *w, const struct reload_ping_ans *ans)
{
    reload_wr_u64(w, ans->response_id);
    reload_wr_u64(w, ans->time_ms);
    return reload_writer_status(w);
}
