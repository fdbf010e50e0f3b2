#include "reload/wire/turn_server.h"

int reload_turn_server_decode(struct reload_slice value, struct reload_turn_server *out)
{
    struct reload_reader r = reload_reader_over(value);
    out->iteration = reload_rd_u8(&r);
    if (reload_ip_address_port_decode(&r, &out->server_address) != 0)
        return RELOAD_E_DECODE;
    return reload_reader_finish(&r);
}

int reload_turn_server_encode(struct reload_writer *w, const struct reload_turn_server *server)
{
    reload_wr_u8(w, server->iteration);
    return reload_ip_address_port_encode(w, &server->server_address);
}
