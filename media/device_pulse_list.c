#include "media/device_pulse.h"
#include "reload/error.h"
#include <pulse/context.h>
#include <pulse/error.h>
#include <pulse/introspect.h>
#include <pulse/mainloop.h>
#include <pulse/operation.h>
#include <stdbool.h>
#include <stdio.h>

#define LINE_MAX_LEN 512

struct listing {
    void (*each)(void *context, const char *line);
    void *context;
};

static void tell(const struct listing *listing, const char *kind, const char *name,
                 const char *description)
{
    char line[LINE_MAX_LEN];
    snprintf(line, sizeof line, "%s %s  %s", kind, name, description);
    listing->each(listing->context, line);
}

static void on_source(pa_context *context, const pa_source_info *info, int end, void *listing)
{
    (void)context;
    if (end == 0)
        tell(listing, "source", info->name, info->description);
}

static void on_sink(pa_context *context, const pa_sink_info *info, int end, void *listing)
{
    (void)context;
    if (end == 0)
        tell(listing, "sink", info->name, info->description);
}

static bool await_ready(pa_mainloop *loop, pa_context *context)
{
    for (;;) {
        pa_context_state_t state = pa_context_get_state(context);
        if (state == PA_CONTEXT_READY)
            return true;
        if (!PA_CONTEXT_IS_GOOD(state) || pa_mainloop_iterate(loop, 1, NULL) < 0)
            return false;
    }
}

static bool await_done(pa_mainloop *loop, pa_operation *operation)
{
    if (!operation)
        return false;
    bool good = true;
    while (good && pa_operation_get_state(operation) == PA_OPERATION_RUNNING)
        good = pa_mainloop_iterate(loop, 1, NULL) >= 0;
    good = good && pa_operation_get_state(operation) == PA_OPERATION_DONE;
    pa_operation_unref(operation);
    return good;
}

static bool ask(pa_mainloop *loop, pa_context *context, struct listing *listing)
{
    return pa_context_connect(context, NULL, PA_CONTEXT_NOAUTOSPAWN, NULL) >= 0 &&
           await_ready(loop, context) &&
           await_done(loop, pa_context_get_source_info_list(context, on_source, listing)) &&
           await_done(loop, pa_context_get_sink_info_list(context, on_sink, listing));
}

int reload_media_pulse_list(void (*each)(void *context, const char *line), void *context)
{
    struct listing listing = { each, context };
    pa_mainloop *loop = pa_mainloop_new();
    if (!loop)
        return RELOAD_E_NOMEM;
    pa_context *server = pa_context_new(pa_mainloop_get_api(loop), "reload");
    bool good = server && ask(loop, server, &listing);
    if (server) {
        pa_context_disconnect(server);
        pa_context_unref(server);
    }
    pa_mainloop_free(loop);
    return good ? 0 : RELOAD_E_IO;
}
