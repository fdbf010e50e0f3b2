#include "peer/verbs/own_node.h"

#include <glib/gstdio.h>
#include <signal.h>

#include "peer/verbs/child.h"

#define JOIN_MS  60000
#define LEAVE_MS 5000

char *reload_own_node_identity;

static struct {
    struct reload_child child;
    char *folder, *socket, *log;
    bool registered;
} own;

static int start_child(void)
{
    const char *arguments[] = { "peer",     "--json",     "--client", "--control",
                                own.socket, "--identity", NULL,       NULL };
    arguments[G_N_ELEMENTS(arguments) - 2] = reload_own_node_identity;
    char *line = reload_child_start(&own.child, own.log, arguments) == 0
                     ? reload_child_line(&own.child, JOIN_MS)
                     : NULL;
    bool joined = line != NULL;
    g_free(line);
    if (joined)
        return 0;
    char *said = NULL;
    (void)g_file_get_contents(own.log, &said, NULL, NULL);
    reload_verb_fail(RELOAD_EXIT_NOT_JOINED, "the overlay could not be joined within %d s: %s",
                     JOIN_MS / 1000, said ? g_strstrip(said) : "no log");
    g_free(said);
    return RELOAD_EXIT_NOT_JOINED;
}

static int ask_for(const char *verb)
{
    json_t *answer;
    int code = reload_query_call(json_pack("{s:s}", "verb", verb), &answer);
    if (code == 0)
        json_decref(answer);
    return code;
}

int reload_own_node_start(bool registers)
{
    if (!reload_own_node_identity)
        return 0;
    if (reload_query.control)
        return reload_verb_fail(RELOAD_EXIT_USAGE, "--identity and --control exclude each other");
    own.folder = g_dir_make_tmp("reload-XXXXXX", NULL);
    if (!own.folder)
        return reload_verb_fail(RELOAD_EXIT_FAILURE, "no folder in %s", g_get_tmp_dir());
    own.socket = g_build_filename(own.folder, "control", NULL);
    own.log = g_build_filename(own.folder, "log", NULL);
    int code = start_child();
    reload_query.control = g_strdup(own.socket);
    if (code == 0 && registers)
        code = ask_for("sip_register");
    own.registered = code == 0 && registers;
    return code == 0 ? 0 : reload_own_node_stop(code);
}

int reload_own_node_stop(int code)
{
    if (!own.folder)
        return code;
    if (own.registered)
        (void)ask_for("sip_unregister");
    reload_child_signal(&own.child, SIGTERM);
    (void)reload_child_wait(&own.child, LEAVE_MS);
    reload_child_end(&own.child);
    (void)g_unlink(own.log);
    (void)g_unlink(own.socket);
    (void)g_rmdir(own.folder);
    g_free(own.log);
    g_free(own.socket);
    g_free(own.folder);
    own.folder = NULL;
    return code;
}
