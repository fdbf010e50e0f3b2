#include "reload/wire/route_query.h"

int reload_route_query_req_decode(struct reload_slice body, size_t node_id_len,
                                  struct reload_route_query_req *out)
{
    struct reload_reader r = reload_reader_over(body);
    out->send_update = reload_rd_boolean(&r); /* RFC 6940 s6.4.2.4.1: True or False, nothing else */
    if (reload_destination_decode(&r, node_id_len, &out->destination) != 0)
        return RELOAD_E_DECODE;
    out->overlay_specific_data = reload_rd_opaque16(&r);
    return reload_reader_finish(&r);
}

int reload_route_query_req_encode(struct reload_writer *w, const struct reload_route_query_req *req)
{
    reload_wr_boolean(w, req->send_update);
    if (reload_destination_encode(w, &req->destination) != 0)
        return RELOAD_E_NOSPACE;
    reload_wr_opaque16(w, req->overlay_specific_data);
    return reload_writer_status(w);
}
