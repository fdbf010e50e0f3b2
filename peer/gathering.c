#include "peer/gathering.h"

int reload_gathering_start(struct reload_gathering *g)
{
    struct reload_overlay_ice_places places;
    reload_overlay_ice_places(g->overlay, &places);
    const struct reload_ice_channel_config config = {
        .role = g->role,
        .stun_server = places.stun_server,
        .turn_servers = &places.turn,
        .turn_server_count = places.turn_count,
        .local_addresses = places.addresses,
        .local_address_count = places.address_count,
        .user = g->user,
    };
    g->relays = places.turn_count != 0;
    reload_ice_channel_free(g->channel);
    g->channel = NULL;
    return reload_ice_channel_new(g->ice, &config, &g->channel);
}

bool reload_gathering_is_done(struct reload_gathering *g)
{
    if (!g->relays || reload_ice_channel_has_relay(g->channel))
        return true;
    reload_overlay_turn_failed(g->overlay);
    return false;
}
