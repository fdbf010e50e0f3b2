#include "tests/topology/overlay_internal.h"

/* Links between nodes. */

size_t overlay_index_of(const struct overlay *o, const struct reload_node_id *id)
{
    for (size_t i = 0; i < o->count; i++)
        if (reload_node_id_equal(&o->nodes[i]->host.self, id))
            return i;
    return SIZE_MAX;
}

bool overlay_divided(const struct overlay *o, size_t a, size_t b)
{
    return o->cut && (a < o->border) != (b < o->border);
}

const struct reload_topology_ops *overlay_ops(const struct overlay *o)
{
    return o->options.ops;
}

void overlay_link_nodes(struct overlay *o, size_t a, size_t b)
{
    if (a == b || o->linked[a][b] || !o->nodes[a]->alive || !o->nodes[b]->alive ||
        overlay_divided(o, a, b))
        return;
    o->linked[a][b] = o->linked[b][a] = true;
    overlay_ops(o)->link_up(o->nodes[a]->topology, &o->nodes[b]->host.self, overlay_clock_of(o));
    overlay_ops(o)->link_up(o->nodes[b]->topology, &o->nodes[a]->host.self, overlay_clock_of(o));
}

void overlay_unlink_nodes(struct overlay *o, size_t a, size_t b)
{
    if (!o->linked[a][b])
        return;
    o->linked[a][b] = o->linked[b][a] = false;
    if (o->nodes[a]->alive)
        overlay_ops(o)->link_down(o->nodes[a]->topology, &o->nodes[b]->host.self, false,
                                  overlay_clock_of(o));
    if (o->nodes[b]->alive)
        overlay_ops(o)->link_down(o->nodes[b]->topology, &o->nodes[a]->host.self, false,
                                  overlay_clock_of(o));
}

size_t overlay_link_count(const struct overlay *o, size_t node)
{
    size_t count = 0;
    for (size_t i = 0; i < o->count; i++)
        count += o->linked[node][i];
    return count;
}

bool overlay_linked(const struct overlay *o, size_t a, size_t b)
{
    return o->linked[a][b];
}
