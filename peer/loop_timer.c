#include "peer/loop_timer.h"

#include "peer/overlay.h"

void reload_loop_timer_drop(GSource **timer)
{
    if (!*timer)
        return;
    g_source_destroy(*timer);
    g_source_unref(*timer);
    *timer = NULL;
}

void reload_loop_timer_set(GSource **timer, GMainContext *context, uint64_t at_ms, GSourceFunc fire,
                           void *data)
{
    uint64_t now_ms = reload_overlay_now().monotonic_ms;
    reload_loop_timer_drop(timer);
    if (at_ms == RELOAD_NEVER)
        return;
    *timer = g_timeout_source_new((guint)CLAMP(at_ms > now_ms ? at_ms - now_ms : 0, 1, G_MAXINT));
    g_source_set_callback(*timer, fire, data, NULL);
    g_source_attach(*timer, context);
}
