#include "reload/wire/config_update.h"

static bool is_known_type(uint8_t type)
{
    return type == RELOAD_CONFIG_UPDATE_CONFIG || type == RELOAD_CONFIG_UPDATE_KIND;
}

int reload_config_update_req_decode(struct reload_slice body, struct reload_config_update_req *out)
{
    *out = (struct reload_config_update_req){ 0 };
    struct reload_reader r = reload_reader_over(body);
    out->type = reload_rd_u8(&r);
    struct reload_reader rest = reload_rd_open32(&r);
    if (is_known_type(out->type))
        out->content = reload_rd_opaque24(&rest);
    else if (out->type == RELOAD_CONFIG_UPDATE_INVALID)
        reload_rd_fail(&rest);
    else
        out->content = reload_rd_rest(&rest); /* RFC 6940 s6.5.4.1: unknown types are allowed for */
    if (out->type == RELOAD_CONFIG_UPDATE_KIND) {
        struct reload_reader kinds = reload_reader_over(out->content);
        struct reload_slice block;
        while (reload_kind_description_next(&kinds, &block))
            ;
        reload_rd_close(&rest, &kinds);
    }
    reload_rd_close(&r, &rest);
    return reload_reader_finish(&r);
}

int reload_config_update_req_encode(struct reload_writer *w,
                                    const struct reload_config_update_req *req)
{
    if (req->type == RELOAD_CONFIG_UPDATE_INVALID)
        reload_wr_fail(w);
    reload_wr_u8(w, req->type);
    size_t mark = reload_wr_open32(w);
    if (is_known_type(req->type))
        reload_wr_opaque24(w, req->content);
    else
        reload_wr_bytes(w, req->content);
    reload_wr_close32(w, mark);
    return reload_writer_status(w);
}

bool reload_kind_description_next(struct reload_reader *list, struct reload_slice *block)
{
    if (!reload_reader_more(list))
        return false;
    *block = reload_rd_opaque16(list);
    return !list->failed;
}
