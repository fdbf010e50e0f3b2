#include "reload/wire/chord.h"

int reload_chord_update_decode(struct reload_slice body, size_t node_id_len,
                               struct reload_chord_update *out)
{
    *out = (struct reload_chord_update){ 0 };
    struct reload_reader r = reload_reader_over(body);
    out->uptime_s = reload_rd_u32(&r);
    out->type = reload_rd_u8(&r);
    switch (out->type) {
    case RELOAD_CHORD_UPDATE_PEER_READY: break;
    case RELOAD_CHORD_UPDATE_FULL:
    case RELOAD_CHORD_UPDATE_NEIGHBORS:
        out->predecessors = reload_rd_node_ids16(&r, node_id_len);
        out->successors = reload_rd_node_ids16(&r, node_id_len);
        if (out->type == RELOAD_CHORD_UPDATE_FULL)
            out->fingers = reload_rd_node_ids16(&r, node_id_len);
        break;
    default: reload_rd_fail(&r); /* RFC 6940 s6.3.1.1 */
    }
    return reload_reader_finish(&r);
}

int reload_chord_update_encode(struct reload_writer *w, const struct reload_chord_update *update)
{
    reload_wr_u32(w, update->uptime_s);
    reload_wr_u8(w, update->type);
    switch (update->type) {
    case RELOAD_CHORD_UPDATE_PEER_READY: break;
    case RELOAD_CHORD_UPDATE_FULL:
    case RELOAD_CHORD_UPDATE_NEIGHBORS:
        reload_wr_opaque16(w, update->predecessors);
        reload_wr_opaque16(w, update->successors);
        if (update->type == RELOAD_CHORD_UPDATE_FULL)
            reload_wr_opaque16(w, update->fingers);
        break;
    default: reload_wr_fail(w);
    }
    return reload_writer_status(w);
}

static bool is_known_leave(uint8_t type)
{
    return type == RELOAD_CHORD_LEAVE_FROM_SUCC || type == RELOAD_CHORD_LEAVE_FROM_PRED;
}

int reload_chord_leave_decode(struct reload_slice data, size_t node_id_len,
                              struct reload_chord_leave *out)
{
    struct reload_reader r = reload_reader_over(data);
    out->type = reload_rd_u8(&r);
    if (!is_known_leave(out->type)) /* s6.3.1.1 */
        reload_rd_fail(&r);
    out->neighbors = reload_rd_node_ids16(&r, node_id_len);
    return reload_reader_finish(&r);
}

int reload_chord_leave_encode(struct reload_writer *w, const struct reload_chord_leave *leave)
{
    if (!is_known_leave(leave->type))
        reload_wr_fail(w);
    reload_wr_u8(w, leave->type);
    reload_wr_opaque16(w, leave->neighbors);
    return reload_writer_status(w);
}

int reload_chord_route_query_ans_decode(struct reload_slice body, size_t node_id_len,
                                        struct reload_chord_route_query_ans *out)
{
    struct reload_reader r = reload_reader_over(body);
    out->next_peer = reload_rd_node_id(&r, node_id_len);
    return reload_reader_finish(&r);
}

int reload_chord_route_query_ans_encode(struct reload_writer *w,
                                        const struct reload_chord_route_query_ans *ans)
{
    reload_wr_node_id(w, &ans->next_peer);
    return reload_writer_status(w);
}
