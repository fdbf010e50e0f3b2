#include <stdio.h>

#include "reload/wire/message.h"
#include "reload/wire/ping.h"
#include "topology/mesh/instance.h"

/* Whether a silent member is gone (RFC 6940 s10.7.1, as for Chord): its link misses acks and a Ping
 * by way of another member has no answer, or others do without it and a Ping over its link has
 * none. It is no member then, its link stays, and any sign of life brings it back. Its heir is
 * told, since nothing need ever leave over the heir's own link to it. */

#define CHECK_MS 600

static bool pending(const struct reload_mesh_node *node)
{
    return node->check_cookie && node->check_until_ms != RELOAD_NEVER;
}

static bool worth_it(const struct reload_topology *t, const struct reload_mesh_node *node)
{
    return node && t->state == RELOAD_TOPOLOGY_JOINED && !reload_mesh_is_client(t) &&
           node->member && !node->lost && !node->check_cookie &&
           !reload_node_id_equal(&node->id, &t->host->self);
}

static void ping(struct reload_topology *t, const struct reload_node_id *to,
                 const struct reload_node_id *via, uint32_t cookie)
{
    uint8_t body[8];
    struct reload_writer w = reload_writer_of(body, sizeof body);
    const struct reload_ping_req req = { .padding = { NULL, 0 } };
    if (reload_ping_req_encode(&w, &req) != 0)
        return;
    const struct reload_topology_request request = {
        .code = RELOAD_PING_REQ,
        .via = via,
        .destination = reload_node_id_slice(to),
        .body = reload_writer_slice(&w),
        .cookie = cookie,
    };
    t->host->request(t->host->context, &request);
}

static void check(struct reload_topology *t, struct reload_mesh_node *node,
                  const struct reload_node_id *via)
{
    node->check_cookie = RELOAD_MESH_FOR_CHECK + ++t->serial % RELOAD_MESH_SERIALS;
    node->check_until_ms = t->now_ms + CHECK_MS;
    ping(t, &node->id, via, node->check_cookie);
}

/* The next member round the ring that may be asked, other than this peer itself. */
static const struct reload_mesh_node *another(const struct reload_topology *t,
                                              const struct reload_mesh_node *than)
{
    const struct reload_mesh_node *node;
    for (size_t skip = 0;
         (node = reload_mesh_owner(&t->members, reload_node_id_slice(&than->id), skip, true));
         skip++)
        if (node != than && !reload_node_id_equal(&node->id, &t->host->self))
            return node;
    return NULL;
}

void reload_mesh_check_suspect(struct reload_topology *t, struct reload_mesh_node *node)
{
    const struct reload_mesh_node *other = worth_it(t, node) ? another(t, node) : NULL;
    if (other) /* with nobody left to ask, the link decides */
        check(t, node, &other->id);
}

void reload_mesh_check_avoided(struct reload_topology *t, const struct reload_node_id *id)
{
    struct reload_mesh_node *node = reload_mesh_find(&t->members, id);
    if (worth_it(t, node) && !node->suspect)
        check(t, node, NULL);
}

static void tell(struct reload_topology *t, const char *text, const struct reload_node_id *id)
{
    char hex[RELOAD_NODE_ID_TEXT], line[160];
    (void)snprintf(line, sizeof line, "%s %s", text, reload_node_id_text(id, hex));
    t->host->log(t->host->context, RELOAD_LOG_INFO, line);
}

void reload_mesh_check_heard(struct reload_topology *t, struct reload_mesh_node *node)
{
    node->check_cookie = 0;
    if (!node->lost)
        return;
    node->lost = false;
    tell(t, "is back:", &node->id);
    reload_mesh_owe(t, node);
    reload_mesh_changed(t);
}

/* Acknowledged, and never answered. */
static void fail(struct reload_topology *t, struct reload_node_id id)
{
    tell(t, "no answer to a Ping:", &id);
    t->host->disconnect(t->host->context, &id);
    reload_mesh_gone(t, &id);
}

void reload_mesh_check_answered(struct reload_topology *t,
                                const struct reload_topology_answer *answer)
{
    for (size_t i = 0; i < t->members.count; i++) {
        struct reload_mesh_node *node = &t->members.nodes[i];
        if (node->check_cookie != answer->cookie)
            continue;
        if (answer->error == 0) {
            reload_mesh_check_heard(t, node);
            if (node->suspect) /* does its link carry anything? Without a message it never tells */
                ping(t, &node->id, NULL, 0);
        } else if (answer->error == RELOAD_E_TIMEOUT && !node->suspect) {
            fail(t, node->id);
        } else {
            node->check_cookie = 0;
        }
        return;
    }
}

static void lose(struct reload_topology *t, struct reload_mesh_node *node)
{
    node->check_until_ms = RELOAD_NEVER;
    node->lost = true;
    tell(t, "silent, and taken as gone:", &node->id);
    const struct reload_mesh_node *heir =
        reload_mesh_owner(&t->members, reload_node_id_slice(&node->id), 0, false);
    if (heir && !reload_node_id_equal(&heir->id, &t->host->self))
        reload_mesh_owe(t, reload_mesh_find(&t->members, &heir->id));
    reload_mesh_changed(t);
    t->host->lost(t->host->context);
}

void reload_mesh_checks_tick(struct reload_topology *t)
{
    for (size_t i = 0; i < t->members.count; i++)
        if (pending(&t->members.nodes[i]) && t->members.nodes[i].check_until_ms <= t->now_ms)
            lose(t, &t->members.nodes[i]);
}

uint64_t reload_mesh_checks_deadline(const struct reload_topology *t)
{
    uint64_t deadline = RELOAD_NEVER;
    for (size_t i = 0; i < t->members.count; i++)
        if (pending(&t->members.nodes[i]) && t->members.nodes[i].check_until_ms < deadline)
            deadline = t->members.nodes[i].check_until_ms;
    return deadline;
}

bool reload_mesh_check_decides(const struct reload_topology *t, struct reload_slice id)
{
    const struct reload_mesh_node *owner = reload_mesh_owner(&t->members, id, 0, false);
    return owner && pending(owner);
}
