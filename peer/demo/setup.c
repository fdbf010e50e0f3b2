#include <errno.h>
#include <ftw.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/demo/demo.h"

/* The operator's part: folder, overlay, accounts, enrollment server; then each user's: enrolling.
 */

#define VERB_MS  60000
#define PASSWORD "correct horse battery staple"

/* Runs a verb to its end. *output: its last line; may be NULL. */
static bool run(struct demo *demo, char **output, const char *const *arguments)
{
    struct reload_child process = { .out = -1 };
    char *log = demo_path(demo, "verbs.log"), *last = NULL, *line;
    int error = reload_child_start(&process, log, arguments);
    while (!error && (line = reload_child_line(&process, VERB_MS))) {
        g_free(last);
        last = line;
    }
    int code = error ? -1 : reload_child_wait(&process, VERB_MS);
    reload_child_end(&process);
    bool ok = code == 0 || demo_failed(demo, "reload %s %s ended with %d; %s tells why",
                                       arguments[0], arguments[1], code, log);
    if (output && ok)
        *output = last;
    else
        g_free(last);
    g_free(log);
    return ok;
}

static bool write_password(struct demo *demo)
{
    char *path = demo_path(demo, "password");
    bool ok = g_file_set_contents(path, PASSWORD "\n", -1, NULL) && chmod(path, 0600) == 0;
    g_free(path);
    return ok || demo_failed(demo, "the password file cannot be written");
}

static bool create_overlay(struct demo *demo)
{
    GPtrArray *arguments = g_ptr_array_new_with_free_func(g_free);
    char **kinds = demo_kind_options();
    g_ptr_array_add(arguments, g_strdup("overlay"));
    g_ptr_array_add(arguments, g_strdup("create"));
    g_ptr_array_add(arguments, g_strdup(DEMO_NAME));
    if (!demo->options.ice)
        g_ptr_array_add(arguments, g_strdup("--no-ice"));
    g_ptr_array_add(arguments, g_strdup_printf("--dir=%s/overlay", demo->directory));
    g_ptr_array_add(arguments, g_strdup_printf("--key=%s", demo->options.rsa ? "rsa" : "ec"));
    g_ptr_array_add(arguments, g_strdup_printf("--host=127.0.0.1:%u", demo->ports[0]));
    for (int i = 1; i < 3; i++)
        g_ptr_array_add(arguments, g_strdup_printf("--bootstrap=127.0.0.1:%u", demo->ports[i]));
    for (char **kind = kinds; *kind; kind++)
        g_ptr_array_add(arguments, g_strdup(*kind));
    g_ptr_array_add(arguments, NULL);
    bool ok = run(demo, NULL, (const char *const *)arguments->pdata);
    g_strfreev(kinds);
    g_ptr_array_unref(arguments);
    return ok;
}

static bool add_users(struct demo *demo)
{
    char *directory = demo_path(demo, "overlay"), *password = demo_path(demo, "password");
    bool ok = true;
    for (unsigned i = 0; i < DEMO_NODES && ok; i++) {
        const char *arguments[] = { "user",   "add",     demo->nodes[i].user,
                                    "--dir",  directory, "--password-file",
                                    password, NULL };
        ok = run(demo, NULL, arguments);
    }
    g_free(directory);
    g_free(password);
    return ok;
}

static bool start_server(struct demo *demo)
{
    char *directory = demo_path(demo, "overlay"), *log = demo_path(demo, "enroll-server.log");
    char *listen = g_strdup_printf("127.0.0.1:%u", demo->ports[0]);
    const char *arguments[] = { "enroll-server", "--dir",  directory, "--listen",
                                listen,          "--json", NULL };
    char *line = reload_child_start(&demo->server, log, arguments)
                     ? NULL
                     : reload_child_line(&demo->server, VERB_MS);
    bool ok = line || demo_failed(demo, "the enrollment server did not start; %s tells why", log);
    g_free(line);
    g_free(listen);
    g_free(log);
    g_free(directory);
    return ok;
}

/* Those who talk have names that people would give them. */
static const char *name_of_user(unsigned i, const char *node)
{
    switch (i) {
    case DEMO_ECHO: return "echo";
    case DEMO_PEERS: return "alice";
    case DEMO_PEERS + 1: return "bob";
    default: return node;
    }
}

static void name_nodes(struct demo *demo)
{
    for (unsigned i = 0; i < DEMO_NODES; i++) {
        struct demo_node *node = &demo->nodes[i];
        node->client = i >= DEMO_PEERS;
        node->any = i == DEMO_NODES - 1;
        g_snprintf(node->name, sizeof node->name, "%s-%u", node->client ? "client" : "peer",
                   node->client ? i - DEMO_PEERS : i);
        g_snprintf(node->user, sizeof node->user, "%s@" DEMO_NAME, name_of_user(i, node->name));
    }
}

static bool make_folder(struct demo *demo)
{
    char *template = g_build_filename(g_get_tmp_dir(), "reload-demo-XXXXXX", NULL);
    demo->directory = g_mkdtemp_full(template, 0700);
    if (!demo->directory) {
        g_free(template);
        return demo_failed(demo, "no folder in %s: %s", g_get_tmp_dir(), strerror(errno));
    }
    for (size_t i = 0; i < G_N_ELEMENTS(demo->ports); i++)
        if ((demo->port_fds[i] = reload_child_reserve_port(&demo->ports[i])) < 0)
            return demo_failed(demo, "no free port on 127.0.0.1: %s", strerror(errno));
    return true;
}

bool demo_setup(struct demo *demo)
{
    name_nodes(demo);
    if (!make_folder(demo) || !write_password(demo))
        return false;
    demo_say(demo, "overlay %s in %s, %s keys", DEMO_NAME, demo->directory,
             demo->options.rsa ? "RSA" : "EC");
    if (!create_overlay(demo) || !add_users(demo) || !start_server(demo))
        return false;
    demo_say(demo, "%d accounts; enrollment server on https://127.0.0.1:%u", DEMO_NODES,
             demo->ports[0]);
    return true;
}

static bool enroll_one(struct demo *demo, unsigned i)
{
    struct demo_node *node = &demo->nodes[i];
    char *url = g_strdup_printf("https://127.0.0.1:%u/.well-known/reload-config", demo->ports[0]);
    char *ca = demo_path(demo, "overlay/ca.pem"), *password = demo_path(demo, "password");
    char *identity = demo_path(demo, "%s", node->name), *line = NULL;
    bool other = i == DEMO_PEERS - 1; /* one node of the other kind */
    const char *arguments[] = {
        "enroll",          url,      "--user", node->user,
        "--password-file", password, "--ca",   ca,
        "--identity",      identity, "--key",  demo->options.rsa != other ? "rsa" : "ec",
        "--json",          NULL
    };
    bool ok = run(demo, &line, arguments);
    json_t *answer = ok && line ? json_loads(line, 0, NULL) : NULL;
    const char *id = json_string_value(json_array_get(json_object_get(answer, "node_ids"), 0));
    if (ok && !id)
        ok = demo_failed(demo, "enroll of %s printed no Node-ID", node->name);
    if (ok)
        g_strlcpy(node->id, id, sizeof node->id);
    json_decref(answer);
    g_free(line);
    g_free(url);
    g_free(ca);
    g_free(password);
    g_free(identity);
    return ok;
}

bool demo_enroll(struct demo *demo)
{
    for (unsigned i = 0; i < DEMO_NODES; i++)
        if (!enroll_one(demo, i))
            return false;
    demo_say(demo, "%d nodes enrolled over HTTPS; %s has an %s key", DEMO_NODES,
             demo->nodes[DEMO_PEERS - 1].name, demo->options.rsa ? "EC" : "RSA");
    return true;
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
    (void)status;
    (void)type;
    (void)ftw;
    return remove(path);
}

void demo_tear_down(struct demo *demo)
{
    for (unsigned i = 0; i < DEMO_NODES; i++) {
        reload_control_client_close(demo->nodes[i].control);
        reload_child_end(&demo->nodes[i].process);
    }
    reload_child_end(&demo->server);
    for (size_t i = 0; i < G_N_ELEMENTS(demo->ports); i++)
        if (demo->port_fds[i] > 0)
            close(demo->port_fds[i]);
    for (unsigned i = 0; i < DEMO_VALUES; i++)
        json_decref(demo->values[i].place);
    if (demo->directory && !demo->options.keep && !demo->failure[0])
        nftw(demo->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    g_free(demo->directory);
    g_rand_free(demo->random);
}
