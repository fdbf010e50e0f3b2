/* Joins an overlay as a client, fetches what a user stored there, prints it and leaves.
 *
 *     reload_example IDENTITY-FOLDER USER KIND
 *
 * The folder is what `reload enroll` made. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "peer/overlay.h"
#include "reload/wire/fetch.h"

static struct reload_overlay *overlay;
static GMainLoop *loop;
static const char *user;
static uint32_t kind;

static void fetched(void *context, const struct reload_result *result)
{
    for (size_t i = 0; i < result->value_count; i++) /* their signatures have been verified */
        if (result->values[i].exists)
            printf("%.*s\n", (int)result->values[i].value.n,
                   (const char *)result->values[i].value.p);
    *(int *)context = result->error;
    reload_overlay_leave(overlay);
}

static void fetch(void *context)
{
    uint8_t id[RELOAD_RESOURCE_ID_MAX], buffer[512];
    size_t len;
    if (reload_overlay_resource_id(overlay, reload_slice_of(user, strlen(user)), id, &len))
        return;
    const struct reload_kind_config *k = reload_config_kind(reload_overlay_config(overlay), kind);
    struct reload_writer body = reload_writer_of(buffer, sizeof buffer);
    size_t mark = reload_fetch_req_begin(&body, reload_slice_of(id, len));
    reload_specifier_end(&body, reload_specifier_begin(&body, kind, 0, k->data_model),
                         k->data_model);
    reload_fetch_req_end(&body, mark);
    if (reload_overlay_fetch(overlay, reload_slice_of(id, len), reload_writer_slice(&body), fetched,
                             context))
        g_main_loop_quit(loop);
}

static void state_changed(void *context, enum reload_topology_state state, const char *text)
{
    (void)text;
    if (state == RELOAD_TOPOLOGY_JOINED)
        fetch(context);
    if (state == RELOAD_TOPOLOGY_LEFT)
        g_main_loop_quit(loop);
}

int main(int argc, char **argv)
{
    int error = RELOAD_E_STATE;
    struct reload_cert_reason reason = { "" };
    const struct reload_overlay_events events = { .state = state_changed };
    if (argc != 4)
        return 2;
    user = argv[2];
    kind = (uint32_t)strtoul(argv[3], NULL, 0);
    loop = g_main_loop_new(NULL, FALSE);
    struct reload_overlay_options options = {
        .identity = argv[1], .role = RELOAD_ROLE_CLIENT, .events = &events, .events_context = &error
    };
    if (reload_overlay_new(&options, &overlay, &reason)) {
        fprintf(stderr, "%s\n", reason.text);
        return 1;
    }
    reload_overlay_join(overlay, false);
    g_main_loop_run(loop);
    reload_overlay_free(overlay);
    g_main_loop_unref(loop);
    return error ? 1 : 0;
}
