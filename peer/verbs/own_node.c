#include "peer/verbs/own_node.h"

#include <glib/gstdio.h>
#include <signal.h>

#include "peer/verbs/child.h"
#include "peer/verbs/interrupt.h"

#define JOIN_MS      60000
#define LEAVE_MS     5000
#define INTERRUPT_MS 1200 /* the same for somebody who waits for the prompt */

char *reload_own_node_identity;

static struct {
    struct reload_child child;
    char *folder, *socket, *log;
} own;

/* NULL: it ended, took too long, or the verb was interrupted. */
static char *ready_line(void)
{
    gint64 until_us = g_get_monotonic_time() + (gint64)JOIN_MS * 1000;
    char *line;
    do
        line = reload_child_line(&own.child, RELOAD_INTERRUPT_STEP_MS);
    while (!line && !reload_interrupted() && g_get_monotonic_time() < until_us &&
           reload_child_wait(&own.child, 0) < 0);
    return line;
}

static int start_child(void)
{
    const char *arguments[] = { "peer",     "--json",     "--client", "--control",
                                own.socket, "--identity", NULL,       NULL };
    arguments[G_N_ELEMENTS(arguments) - 2] = reload_own_node_identity;
    char *line = reload_child_start(&own.child, own.log, arguments) == 0 ? ready_line() : NULL;
    bool joined = line != NULL;
    g_free(line);
    if (joined)
        return 0;
    if (reload_interrupted())
        return reload_verb_fail(RELOAD_EXIT_FAILURE, "interrupted");
    char *said = NULL;
    (void)g_file_get_contents(own.log, &said, NULL, NULL);
    reload_verb_fail(RELOAD_EXIT_NOT_JOINED, "the overlay could not be joined within %d s: %s",
                     JOIN_MS / 1000, said ? g_strstrip(said) : "no log");
    g_free(said);
    return RELOAD_EXIT_NOT_JOINED;
}

static int register_user(void)
{
    json_t *answer;
    int code = reload_query_call(json_pack("{s:s}", "verb", "sip_register"), &answer);
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
    reload_interrupt_catch();
    own.folder = g_dir_make_tmp("reload-XXXXXX", NULL);
    if (!own.folder)
        return reload_verb_fail(RELOAD_EXIT_FAILURE, "no folder in %s", g_get_tmp_dir());
    own.socket = g_build_filename(own.folder, "control", NULL);
    own.log = g_build_filename(own.folder, "log", NULL);
    int code = start_child();
    reload_query.control = g_strdup(own.socket);
    if (code == 0 && registers)
        code = register_user();
    return code == 0 ? 0 : reload_own_node_stop(code);
}

int reload_own_node_stop(int code)
{
    if (!own.folder)
        return code;
    reload_child_signal(&own.child, SIGTERM);
    (void)reload_child_wait(&own.child, reload_interrupted() ? INTERRUPT_MS : LEAVE_MS);
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
