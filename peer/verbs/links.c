#include <stdio.h>
#include <string.h>

#include "peer/verbs/query.h"

/* links: a table, one line a link. */

enum { NODE, WAY, PROTOCOL, LOCAL, REMOTE, PATH, RTT, MESSAGES, BYTES, AGAIN, STATE, COLUMNS };

static const char *const heads[COLUMNS] = {
    "NODE-ID",         "WAY",          "PROTOCOL", "LOCAL", "REMOTE", "PATH", "RTT ms",
    "MESSAGES in/out", "BYTES in/out", "REPEATED", "STATE",
};

struct row {
    char *cells[COLUMNS];
};

static void row_clear(void *p)
{
    for (unsigned i = 0; i < COLUMNS; i++)
        g_free(((struct row *)p)->cells[i]);
}

/* An address, with its candidate's type where the link is by ICE. */
static char *end_of(const json_t *link, const char *which)
{
    const json_t *end = json_object_get(link, which);
    const char *type = reload_query_text(end, "type"), *address = reload_query_text(end, "address");
    return g_strdup_printf("%s%s%s", type, *type ? " " : "", *address ? address : "-");
}

static char *in_and_out(const json_t *link, const char *in, const char *out)
{
    return g_strdup_printf("%lld/%lld", reload_query_number(link, in),
                           reload_query_number(link, out));
}

static const char *state_of(const json_t *link)
{
    if (json_is_true(json_object_get(link, "suspect")))
        return "suspect";
    return json_is_true(json_object_get(link, "routable")) ? "routing" : "linked";
}

static struct row row_of(const json_t *link)
{
    const char *node = reload_query_text(link, "node_id");
    return (struct row){ {
        [NODE] = g_strdup(*node ? node : "(not settled)"),
        [WAY] = g_strdup(json_is_true(json_object_get(link, "inbound")) ? "in" : "out"),
        [PROTOCOL] = g_strdup(reload_query_text(link, "protocol")),
        [LOCAL] = end_of(link, "local"),
        [REMOTE] = end_of(link, "remote"),
        [PATH] = g_strdup(json_is_true(json_object_get(link, "relayed")) ? "relayed" : "direct"),
        [RTT] = g_strdup_printf("%lld", reload_query_number(link, "rtt_ms")),
        [MESSAGES] = in_and_out(link, "messages_in", "messages_out"),
        [BYTES] = in_and_out(link, "bytes_in", "bytes_out"),
        [AGAIN] = g_strdup_printf("%lld", reload_query_number(link, "retransmissions")),
        [STATE] = g_strdup(state_of(link)),
    } };
}

static void print_row(const char *const cells[COLUMNS], const size_t widths[COLUMNS])
{
    for (unsigned i = 0; i + 1 < COLUMNS; i++)
        printf("%-*s  ", (int)widths[i], cells[i]);
    puts(cells[STATE]);
}

static void print_links(const json_t *answer)
{
    const json_t *links = json_object_get(answer, "links"), *link;
    GArray *rows = g_array_new(FALSE, FALSE, sizeof(struct row));
    size_t widths[COLUMNS], i;
    g_array_set_clear_func(rows, row_clear);
    for (unsigned c = 0; c < COLUMNS; c++)
        widths[c] = strlen(heads[c]);
    json_array_foreach(links, i, link)
    {
        struct row row = row_of(link);
        g_array_append_val(rows, row);
        for (unsigned c = 0; c < COLUMNS; c++)
            widths[c] = MAX(widths[c], strlen(row.cells[c]));
    }
    print_row(heads, widths);
    for (i = 0; i < rows->len; i++)
        print_row((const char *const *)g_array_index(rows, struct row, i).cells, widths);
    g_array_unref(rows);
}

int reload_verb_links(int argc, char **argv)
{
    static const GOptionEntry entries[] = { RELOAD_QUERY_ENTRIES, { 0 } };
    return reload_query_run("links", entries, argc, argv, print_links);
}
