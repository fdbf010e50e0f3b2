#include "reload/wire/address.h"

/* Bytes of a known type's address, or 0. */
static size_t address_len(uint8_t type)
{
    if (type == RELOAD_ADDRESS_IPV4)
        return 4;
    return type == RELOAD_ADDRESS_IPV6 ? 16 : 0;
}

int reload_ip_address_port_decode(struct reload_reader *r, struct reload_ip_address_port *out)
{
    *out = (struct reload_ip_address_port){ 0 };
    out->type = reload_rd_u8(r);
    struct reload_reader data = reload_rd_open8(r);
    size_t len = address_len(out->type);
    if (len != 0) {
        out->address = reload_rd_bytes(&data, len);
        out->port = reload_rd_u16(&data);
    } else {
        out->address =
            reload_rd_rest(&data); /* RFC 6940 s6.3.1.1: an unknown type can be skipped */
    }
    if (out->type == RELOAD_ADDRESS_INVALID)
        reload_rd_fail(&data);
    reload_rd_close(r, &data);
    return reload_reader_status(r);
}

int reload_ip_address_port_encode(struct reload_writer *w,
                                  const struct reload_ip_address_port *address)
{
    size_t len = address_len(address->type);
    if (address->type == RELOAD_ADDRESS_INVALID || (len != 0 && address->address.n != len))
        reload_wr_fail(w);
    reload_wr_u8(w, address->type);
    size_t mark = reload_wr_open8(w);
    reload_wr_bytes(w, address->address);
    if (len != 0)
        reload_wr_u16(w, address->port);
    reload_wr_close8(w, mark);
    return reload_writer_status(w);
}
