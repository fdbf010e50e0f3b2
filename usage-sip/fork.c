#include "usage-sip/internal.h"

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

static bool take_target(const struct reload_sip_agent *agent, const struct reload_sip_fork *fork,
                        const struct reload_sip_target *target, bool secure,
                        struct reload_sip_leg *leg)
{
    struct reload_sip_connect connect;
    if (target->own || reload_sip_connect_plan(target, agent->self.len, secure, &connect) != 0)
        return false;
    leg->aor = target->aor;
    leg->route = (struct reload_sip_route){
        .node_id = connect.node_id,
        .destinations_len = target->list_len,
        .application = connect.application,
    };
    memcpy(leg->route.destinations, target->list, target->list_len);
    return !is_known(fork, &leg->route);
}

void reload_sip_fork_take(struct reload_sip_agent *agent, struct reload_sip_fork *fork, bool secure,
                          const struct reload_sip_target *targets, size_t count)
{
    for (size_t i = 0; i < count && fork->count < RELOAD_SIP_TARGETS_MAX; i++) {
        struct reload_sip_leg *leg = &fork->legs[fork->count];
        *leg = (struct reload_sip_leg){ .state = RELOAD_SIP_LEG_WAITING };
        if (!take_target(agent, fork, &targets[i], secure, leg))
            continue;
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
    return !fork->refreshing;
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
