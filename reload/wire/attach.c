#include "reload/wire/attach.h"

static struct reload_slice read_candidates(struct reload_reader *r)
{
    struct reload_slice list = reload_rd_opaque16(r);
    struct reload_reader candidates = reload_reader_over(list);
    struct reload_ice_candidate candidate;
    while (reload_ice_candidate_next(&candidates, &candidate))
        ;
    reload_rd_close(r, &candidates);
    return list;
}

int reload_attach_decode(struct reload_slice body, struct reload_attach *out)
{
    struct reload_reader r = reload_reader_over(body);
    out->ufrag = reload_rd_opaque8(&r);
    out->password = reload_rd_opaque8(&r);
    out->role = reload_rd_opaque8(&r);
    out->candidates = read_candidates(&r);
    out->send_update = reload_rd_boolean(&r);
    return reload_reader_finish(&r);
}

int reload_attach_encode(struct reload_writer *w, const struct reload_attach *attach)
{
    reload_wr_opaque8(w, attach->ufrag);
    reload_wr_opaque8(w, attach->password);
    reload_wr_opaque8(w, attach->role);
    reload_wr_opaque16(w, attach->candidates);
    reload_wr_boolean(w, attach->send_update);
    return reload_writer_status(w);
}

int reload_app_attach_decode(struct reload_slice body, struct reload_app_attach *out)
{
    struct reload_reader r = reload_reader_over(body);
    out->ufrag = reload_rd_opaque8(&r);
    out->password = reload_rd_opaque8(&r);
    out->application = reload_rd_u16(&r);
    out->role = reload_rd_opaque8(&r);
    out->candidates = read_candidates(&r);
    return reload_reader_finish(&r);
}

int reload_app_attach_encode(struct reload_writer *w, const struct reload_app_attach *attach)
{
    reload_wr_opaque8(w, attach->ufrag);
    reload_wr_opaque8(w, attach->password);
    reload_wr_u16(w, attach->application);
    reload_wr_opaque8(w, attach->role);
    reload_wr_opaque16(w, attach->candidates);
    return reload_writer_status(w);
}
