#include "usage-sip/internal.h"

#include "reload/wire/destination.h"

static bool is_known(const struct reload_sip_fork *fork, const struct reload_sip_route *route)
{
    for (size_t i = 0; i < fork->count; i++) {
        const struct reload_sip_route *other = &fork->legs[i].route;
        if (reload_slice_equal(reload_slice_of(other->destinations, other->destinations_len),
                               reload_slice_of(route->destinations, route->destinations_len)))
            return true;
    }
    return false;
}

static int take_destinations(const struct reload_sip_target *target, struct reload_sip_route *route)
{
    if (target->destinations_len > sizeof route->destinations)
        return RELOAD_E_LIMIT;
    if (target->destinations_len) {
        memcpy(route->destinations, target->destinations, target->destinations_len);
        route->destinations_len = target->destinations_len;
        return 0;
    }
    struct reload_writer w = reload_writer_of(route->destinations, sizeof route->destinations);
    struct reload_destination node = reload_destination_node(&target->node_id);
    int error = reload_destination_encode(&w, &node);
    route->destinations_len = w.len;
    return error;
}

static bool take_target(const struct reload_sip_agent *agent, const struct reload_sip_fork *fork,
                        const struct reload_sip_target *target, struct reload_sip_leg *leg)
{
    leg->route.node_id = target->node_id;
    leg->route.application = target->application;
    if (target->aor &&
        reload_sip_aor_read(reload_slice_of(target->aor, strlen(target->aor)), &leg->aor) != 0)
        return false;
    return !reload_node_id_equal(&target->node_id, &agent->self) &&
           take_destinations(target, &leg->route) == 0 && !is_known(fork, &leg->route);
}

void reload_sip_fork_init(struct reload_sip_agent *agent, struct reload_sip_fork *fork,
                          const struct reload_sip_aor *aor, bool secure,
                          const struct reload_sip_target *targets, size_t count, bool cached)
{
    *fork = (struct reload_sip_fork){ .cached = cached };
    for (size_t i = 0; i < count && fork->count < RELOAD_SIP_TARGETS_MAX; i++) {
        struct reload_sip_leg *leg = &fork->legs[fork->count];
        *leg = (struct reload_sip_leg){ .state = RELOAD_SIP_LEG_WAITING, .aor = *aor };
        if (!take_target(agent, fork, &targets[i], leg))
            continue;
        if (secure) /* RFC 3261 s26.2.2: sips is not lessened on the way */
            leg->route.application = RELOAD_SIP_APPLICATION_SIPS;
        leg->number = reload_sip_number(agent);
        fork->count++;
    }
}

struct reload_sip_leg *reload_sip_fork_leg(struct reload_sip_fork *fork, uint32_t number)
{
    for (size_t i = 0; i < fork->count; i++)
        if (fork->legs[i].number == number)
            return &fork->legs[i];
    return NULL;
}

bool reload_sip_fork_done(const struct reload_sip_fork *fork)
{
    for (size_t i = 0; i < fork->count; i++)
        if (fork->legs[i].state != RELOAD_SIP_LEG_DONE)
            return false;
    return true;
}

bool reload_sip_fork_unreachable(const struct reload_sip_fork *fork)
{
    for (size_t i = 0; i < fork->count; i++)
        if (!fork->legs[i].unreachable)
            return false;
    return true;
}

/* Lower is better: what a person said before what a machine said, and an answer before none. */
static int rank(int status)
{
    if (status >= 600)
        return 0;
    switch (status) {
    case 486: return 1;
    case 480: return 2;
    case 408: return 4;
    case 404: return 5;
    case 503: return 7;
    default: return status < 500 ? 3 : 6;
    }
}

void reload_sip_fork_refused(struct reload_sip_fork *fork, int status)
{
    if (fork->best == 0 || rank(status) < rank(fork->best))
        fork->best = status;
}
