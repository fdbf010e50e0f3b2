#include "reload/frame/frame.h"

int reload_frame_decode(struct reload_reader *r, struct reload_frame *out)
{
    *out = (struct reload_frame){ .type = reload_rd_u8(r) };
    switch (out->type) {
    case RELOAD_FRAME_DATA:
        out->sequence = reload_rd_u32(r);
        out->message = reload_rd_opaque24(r);
        break;
    case RELOAD_FRAME_ACK:
        out->sequence = reload_rd_u32(r);
        out->received = reload_rd_u32(r);
        break;
    default: reload_rd_fail(r); /* s6.6.2: 255 is reserved, the rest unassigned */
    }
    return reload_reader_status(r);
}

int reload_frame_encode(struct reload_writer *w, const struct reload_frame *frame)
{
    if (frame->type != RELOAD_FRAME_DATA && frame->type != RELOAD_FRAME_ACK)
        return RELOAD_E_INVALID;
    reload_wr_u8(w, frame->type);
    reload_wr_u32(w, frame->sequence);
    if (frame->type == RELOAD_FRAME_DATA)
        reload_wr_opaque24(w, frame->message);
    else
        reload_wr_u32(w, frame->received);
    return reload_writer_status(w);
}

void reload_frame_data_header(uint8_t out[RELOAD_FRAME_DATA_HEADER_LEN], uint32_t sequence,
                              size_t message_len)
{
    out[0] = RELOAD_FRAME_DATA;
    out[1] = (uint8_t)(sequence >> 24);
    out[2] = (uint8_t)(sequence >> 16);
    out[3] = (uint8_t)(sequence >> 8);
    out[4] = (uint8_t)sequence;
    out[5] = (uint8_t)(message_len >> 16);
    out[6] = (uint8_t)(message_len >> 8);
    out[7] = (uint8_t)message_len;
}
