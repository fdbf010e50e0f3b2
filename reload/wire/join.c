#include "reload/wire/join.h"

int reload_join_req_decode(struct reload_slice body, size_t node_id_len,
                           struct reload_join_req *out)
{
    struct reload_reader r = reload_reader_over(body);
    out->joining_peer_id = reload_rd_node_id(&r, node_id_len);
    out->overlay_specific_data = reload_rd_opaque16(&r);
    return reload_reader_finish(&r);
}

int reload_join_req_encode(struct reload_writer *w, const struct reload_join_req *req)
{
    reload_wr_node_id(w, &req->joining_peer_id);
    reload_wr_opaque16(w, req->overlay_specific_data);
    return reload_writer_status(w);
}

int reload_join_ans_decode(struct reload_slice body, struct reload_join_ans *out)
{
    struct reload_reader r = reload_reader_over(body);
    out->overlay_specific_data = reload_rd_opaque16(&r);
    return reload_reader_finish(&r);
}

int reload_join_ans_encode(struct reload_writer *w, const struct reload_join_ans *ans)
{
    reload_wr_opaque16(w, ans->overlay_specific_data);
    return reload_writer_status(w);
}

int reload_leave_req_decode(struct reload_slice body, size_t node_id_len,
                            struct reload_leave_req *out)
{
    struct reload_reader r = reload_reader_over(body);
    out->leaving_peer_id = reload_rd_node_id(&r, node_id_len);
    out->overlay_specific_data = reload_rd_opaque16(&r);
    return reload_reader_finish(&r);
}

int reload_leave_req_encode(struct reload_writer *w, const struct reload_leave_req *req)
{
    reload_wr_node_id(w, &req->leaving_peer_id);
    reload_wr_opaque16(w, req->overlay_specific_data);
    return reload_writer_status(w);
}
