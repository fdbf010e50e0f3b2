#include "ice/turn_search.h"

static void enter(struct reload_ice_turn_search *search, enum reload_ice_turn_search_state state)
{
    search->state = state;
}

/* s9: a random Resource-ID spreads the askers over the servers. */
static void try_anew(struct reload_ice_turn_search *search)
{
    if (search->attempts == RELOAD_ICE_TURN_ATTEMPTS_MAX) {
        enter(search, RELOAD_ICE_TURN_GIVEN_UP);
        return;
    }
    search->attempts++;
    search->resource_len = search->id_len;
    search->random.fill(search->random.context, search->resource, search->resource_len);
    enter(search, RELOAD_ICE_TURN_FIND);
}

void reload_ice_turn_search_start(struct reload_ice_turn_search *search,
                                  const struct reload_random *random, size_t resource_id_len,
                                  unsigned int turn_density)
{
    *search = (struct reload_ice_turn_search){ .random = *random, .id_len = resource_id_len };
    if (turn_density == 0)
        enter(search, RELOAD_ICE_TURN_GIVEN_UP);
    else
        try_anew(search);
}

static bool is_zero(struct reload_slice s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] != 0)
            return false;
    return true;
}

void reload_ice_turn_search_found(struct reload_ice_turn_search *search,
                                  struct reload_slice closest)
{
    if (search->state != RELOAD_ICE_TURN_FIND)
        return;
    if (is_zero(closest) || closest.n > sizeof search->resource) {
        try_anew(search);
        return;
    }
    memcpy(search->resource, closest.p, closest.n);
    search->resource_len = closest.n;
    enter(search, RELOAD_ICE_TURN_FETCH);
}

void reload_ice_turn_search_fetched(struct reload_ice_turn_search *search,
                                    const struct reload_ice_turn_offer *offers, size_t count)
{
    if (search->state != RELOAD_ICE_TURN_FETCH)
        return;
    for (size_t i = 0; i < count && search->found_count < RELOAD_ICE_TURN_FOUND_MAX; i++)
        search->found[search->found_count++] = offers[i];
    if (search->found_count == 0)
        try_anew(search);
    else
        enter(search, RELOAD_ICE_TURN_DONE);
}

void reload_ice_turn_search_failed(struct reload_ice_turn_search *search)
{
    if (search->state == RELOAD_ICE_TURN_FIND || search->state == RELOAD_ICE_TURN_FETCH)
        try_anew(search);
}
