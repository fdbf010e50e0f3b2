#include <signal.h>
#include <string.h>

#include "peer/demo/demo.h"

/* The nodes as processes. */

#define READY_MS 30000
#define LEAVE_MS 4000

static bool connect_control(struct demo *demo, struct demo_node *node, const char *path)
{
    struct reload_cert_reason reason = { "" };
    return reload_control_client_open(path, &node->control, &reason) == 0 ||
           demo_failed(demo, "%s: %s", node->name, reason.text);
}

static char *listen_of(const struct demo *demo, unsigned i)
{
    bool bootstrap = i < 2; /* these two are in the document */
    return g_strdup_printf("--listen=127.0.0.1:%u", bootstrap ? demo->ports[i + 1] : 0);
}

bool demo_start_node(struct demo *demo, unsigned i)
{
    struct demo_node *node = &demo->nodes[i];
    char *identity = demo_path(demo, "%s", node->name),
         *log = demo_path(demo, "%s.log", node->name);
    char *control = demo_path(demo, "%s.sock", node->name), *listen = listen_of(demo, i);
    char *pcap = g_strdup_printf("--pcap=%s/%s.pcap", demo->directory, node->name);
    GPtrArray *a = g_ptr_array_new();
    g_ptr_array_add(a, (gpointer) "peer");
    g_ptr_array_add(a, (gpointer) "--json");
    g_ptr_array_add(a, (gpointer) "--identity");
    g_ptr_array_add(a, identity);
    g_ptr_array_add(a, (gpointer) "--control");
    g_ptr_array_add(a, control);
    g_ptr_array_add(a, listen);
    if (node->client)
        g_ptr_array_add(a, (gpointer)(node->any ? "--client=any" : "--client=responsible"));
    if (i == 0 && !node->killed) /* there is an overlay by the time it comes back */
        g_ptr_array_add(a, (gpointer) "--first");
    if (i == DEMO_ECHO)
        g_ptr_array_add(a, (gpointer) "--answer=mirror");
    if (demo->options.dtls)
        g_ptr_array_add(a, (gpointer) "--dtls");
    if (demo->options.verbose)
        g_ptr_array_add(a, (gpointer) "--verbose");
    if (demo->options.pcap)
        g_ptr_array_add(a, pcap);
    g_ptr_array_add(a, NULL);
    char *line = reload_child_start(&node->process, log, (const char *const *)a->pdata)
                     ? NULL
                     : reload_child_line(&node->process, READY_MS);
    bool ok = line || demo_failed(demo, "%s did not join within %d s; %s tells why", node->name,
                                  READY_MS / 1000, log);
    ok = ok && connect_control(demo, node, control);
    g_free(line);
    g_ptr_array_unref(a);
    g_free(pcap);
    g_free(listen);
    g_free(control);
    g_free(log);
    g_free(identity);
    return ok;
}

bool demo_start_all(struct demo *demo)
{
    for (unsigned i = 0; i < DEMO_NODES; i++) {
        if (!demo_start_node(demo, i))
            return false;
        demo_say(demo, "%s %.8s joined%s", demo->nodes[i].name, demo->nodes[i].id,
                 demo->nodes[i].any      ? ", linked to any peer"
                 : demo->nodes[i].client ? ", linked to its responsible peer"
                                         : "");
    }
    return true;
}

void demo_kill(struct demo *demo, unsigned i)
{
    struct demo_node *node = &demo->nodes[i];
    reload_child_signal(&node->process, SIGKILL);
    reload_child_wait(&node->process, LEAVE_MS);
    reload_control_client_close(node->control);
    node->control = NULL;
    reload_child_end(&node->process);
    node->killed = true;
}

bool demo_leave_all(struct demo *demo)
{
    bool ok = true;
    for (unsigned i = DEMO_NODES; i-- > 0;) { /* clients first */
        struct demo_node *node = &demo->nodes[i];
        if (node->process.pid <= 0)
            continue;
        reload_child_signal(&node->process, SIGTERM);
        int code = reload_child_wait(&node->process, LEAVE_MS);
        if (code != 0)
            ok = demo_failed(demo, "%s did not leave cleanly: %d", node->name, code);
    }
    reload_child_signal(&demo->server, SIGTERM);
    if (reload_child_wait(&demo->server, LEAVE_MS) != 0)
        ok = demo_failed(demo, "the enrollment server did not end cleanly");
    return ok;
}

bool demo_call(struct demo *demo, unsigned i, json_t *request, json_t **answer)
{
    struct demo_node *node = &demo->nodes[i];
    return reload_control_client_call(node->control, request, answer) == 0 ||
           demo_failed(demo, "%s ended unexpectedly; %s/%s.log tells why", node->name,
                       demo->directory, node->name);
}
