#include "reload/wire/probe.h"

/* RFC 6940 s6.4.2.5.2: each of the types defined there is a 32-bit number. */
static bool is_number(uint8_t type)
{
    return type == RELOAD_PROBE_RESPONSIBLE_SET || type == RELOAD_PROBE_NUM_RESOURCES ||
           type == RELOAD_PROBE_UPTIME;
}

int reload_probe_req_decode(struct reload_slice body, struct reload_probe_req *out)
{
    struct reload_reader r = reload_reader_over(body);
    out->requested_info = reload_rd_opaque8(&r);
    return reload_reader_finish(&r);
}

int reload_probe_req_encode(struct reload_writer *w, const struct reload_probe_req *req)
{
    reload_wr_opaque8(w, req->requested_info);
    return reload_writer_status(w);
}

int reload_probe_ans_decode(struct reload_slice body, struct reload_probe_ans *out)
{
    struct reload_reader r = reload_reader_over(body);
    out->probe_info = reload_rd_opaque16(&r);
    struct reload_reader elements = reload_reader_over(out->probe_info);
    struct reload_probe_information info;
    while (reload_probe_information_next(&elements, &info))
        ;
    reload_rd_close(&r, &elements);
    return reload_reader_finish(&r);
}

int reload_probe_ans_encode(struct reload_writer *w, const struct reload_probe_ans *ans)
{
    reload_wr_opaque16(w, ans->probe_info);
    return reload_writer_status(w);
}

int reload_probe_information_decode(struct reload_reader *r, struct reload_probe_information *out)
{
    *out = (struct reload_probe_information){ 0 };
    out->type = reload_rd_u8(r);
    out->value = reload_rd_opaque8(r);
    if (out->type == RELOAD_PROBE_INVALID)
        reload_rd_fail(r);
    if (is_number(out->type)) {
        struct reload_reader value = reload_reader_over(out->value);
        out->number = reload_rd_u32(&value);
        reload_rd_close(r, &value);
    }
    return reload_reader_status(r);
}

int reload_probe_information_encode(struct reload_writer *w,
                                    const struct reload_probe_information *info)
{
    if (info->type == RELOAD_PROBE_INVALID)
        reload_wr_fail(w);
    reload_wr_u8(w, info->type);
    size_t mark = reload_wr_open8(w);
    if (is_number(info->type))
        reload_wr_u32(w, info->number);
    else
        reload_wr_bytes(w, info->value);
    reload_wr_close8(w, mark);
    return reload_writer_status(w);
}

bool reload_probe_information_next(struct reload_reader *list, struct reload_probe_information *out)
{
    return reload_reader_more(list) && reload_probe_information_decode(list, out) == 0;
}
