#include "reload/wire/option.h"

int reload_forwarding_option_decode(struct reload_reader *r, struct reload_forwarding_option *out)
{
    out->type = reload_rd_u8(r);
    out->flags = reload_rd_u8(r);
    out->option = reload_rd_opaque16(r);
    if (out->type == 0) /* RFC 6940 s6.3.2.3: invalidForwardingOptionType */
        reload_rd_fail(r);
    return reload_reader_status(r);
}

int reload_forwarding_option_encode(struct reload_writer *w,
                                    const struct reload_forwarding_option *option)
{
    if (option->type == 0)
        reload_wr_fail(w);
    reload_wr_u8(w, option->type);
    reload_wr_u8(w, option->flags);
    reload_wr_opaque16(w, option->option);
    return reload_writer_status(w);
}

bool reload_forwarding_option_next(struct reload_reader *list, struct reload_forwarding_option *out)
{
    return reload_reader_more(list) && reload_forwarding_option_decode(list, out) == 0;
}
