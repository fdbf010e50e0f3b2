#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/json.h"
#include "peer/ring_text.h"
#include "peer/verbs/query.h"

/* ring: as text, as JSON, or for Graphviz. */

static gboolean dot, walk;

static const char *const lists[] = { "predecessors", "successors", "fingers", "others" };
static const char *const singular[] = { "predecessor", "successor", "finger", "linked" };

struct drawing {
    struct reload_ring_member *members;
    size_t count;
};

static struct reload_ring_member *find(struct drawing *d, const struct reload_node_id *id)
{
    for (size_t i = 0; i < d->count; i++)
        if (reload_node_id_equal(&d->members[i].id, id))
            return &d->members[i];
    d->members = g_renew(struct reload_ring_member, d->members, d->count + 1);
    d->members[d->count] = (struct reload_ring_member){ .id = *id };
    return &d->members[d->count++];
}

static void note(struct drawing *d, const json_t *text, const char *what)
{
    struct reload_node_id id;
    if (!json_is_string(text) || reload_node_id_read(json_string_value(text), &id))
        return;
    struct reload_ring_member *member = find(d, &id);
    char *old = (char *)member->note;
    member->note = old && *what ? g_strdup_printf("%s, %s", old, what) : g_strdup(old ? old : what);
    g_free(old);
}

static void collect(struct drawing *d, const json_t *answer)
{
    size_t i;
    const json_t *entry;
    note(d, json_object_get(answer, "node_id"), "this node");
    for (size_t l = 0; l < G_N_ELEMENTS(lists); l++)
        json_array_foreach(json_object_get(answer, lists[l]), i, entry)
        {
            char *what = g_strdup_printf("%s %lld", singular[l],
                                         reload_query_number(entry, "index") + (l < 2));
            note(d, json_object_get(entry, "node_id"), what);
            g_free(what);
        }
    json_array_foreach(json_object_get(answer, "members"), i, entry) note(d, entry, "");
}

static void release(struct drawing *d)
{
    for (size_t i = 0; i < d->count; i++)
        g_free((char *)d->members[i].note);
    g_free(d->members);
}

static void print_text(const json_t *answer)
{
    struct drawing d = { 0 };
    collect(&d, answer);
    reload_ring_sort(d.members, d.count);
    char *text = reload_ring_draw(d.members, d.count);
    fputs(text ? text : "", stdout);
    if (!json_object_get(answer, "members"))
        printf("\n  As this node knows it; --walk asks around the whole ring.\n");
    free(text);
    release(&d);
}

static void print_dot(const json_t *answer)
{
    static const char *const styles[] = { "color=gray", "color=black", "style=dashed,color=blue",
                                          "style=dotted" };
    struct drawing d = { 0 };
    const char *self = reload_query_text(answer, "node_id");
    size_t i;
    const json_t *entry;
    collect(&d, answer);
    reload_ring_sort(d.members, d.count);
    printf("digraph ring {\n  layout=circo;\n  node [shape=box,fontname=monospace];\n");
    for (i = 0; i < d.count; i++) {
        char id[RELOAD_NODE_ID_TEXT];
        reload_node_id_text(&d.members[i].id, id);
        printf("  \"%s\" [label=\"%.8s\\n%.1f %%\"%s];\n", id, id, 100 * d.members[i].share,
               strcmp(id, self) == 0 ? ",style=bold" : "");
    }
    for (size_t l = 0; l < G_N_ELEMENTS(lists); l++)
        json_array_foreach(json_object_get(answer, lists[l]), i, entry)
            printf("  \"%s\" -> \"%s\" [%s,label=\"%s %lld\"];\n", self,
                   reload_query_text(entry, "node_id"), styles[l], singular[l],
                   reload_query_number(entry, "index") + (l < 2));
    printf("}\n");
    release(&d);
}

int reload_verb_ring(int argc, char **argv)
{
    static const GOptionEntry entries[] = {
        RELOAD_QUERY_ENTRIES,
        { "walk", 0, 0, G_OPTION_ARG_NONE, &walk, "Find all members, one after another", NULL },
        { "dot", 0, 0, G_OPTION_ARG_NONE, &dot, "Print a graph for Graphviz", NULL },
        { 0 },
    };
    json_t *answer;
    int code = reload_verb_options("ring", entries, &argc, &argv, 0, 0);
    if (code)
        return code;
    json_t *request = reload_query_request("ring");
    json_object_set_new(request, "walk", json_boolean(walk));
    code = reload_query_call(request, &answer);
    if (code)
        return code;
    if (reload_query.json) {
        reload_verb_print_json(answer);
        return 0;
    }
    (dot ? print_dot : print_text)(answer);
    json_decref(answer);
    return 0;
}
