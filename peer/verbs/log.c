#include "peer/verbs/log.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define WINDOW_US     (60 * G_USEC_PER_SEC)
#define LINES_A_CAUSE 20 /* in a window; a cause is an area with the first words of its text */
#define CAUSE_LEN     24
#define CAUSES_MAX    256

struct cause {
    unsigned lines, suppressed;
};

static struct {
    GMutex mutex;
    GHashTable *causes; /* text -> struct cause */
    gint64 window_end;
} state;

static void summarise(gpointer key, gpointer value, gpointer unused)
{
    const struct cause *cause = value;
    (void)unused;
    if (cause->suppressed)
        fprintf(stderr, "%u more lines like: %s...\n", cause->suppressed, (const char *)key);
}

static bool wanted(const char *area, const char *text)
{
    gint64 now = g_get_monotonic_time();
    if (!state.causes)
        state.causes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (now >= state.window_end) {
        g_hash_table_foreach(state.causes, summarise, NULL);
        g_hash_table_remove_all(state.causes);
        state.window_end = now + WINDOW_US;
    }
    char *key = g_strdup_printf("%s: %.*s", area, CAUSE_LEN, text);
    struct cause *cause = g_hash_table_lookup(state.causes, key);
    if (!cause && g_hash_table_size(state.causes) < CAUSES_MAX) {
        cause = g_new0(struct cause, 1);
        g_hash_table_insert(state.causes, g_strdup(key), cause);
    }
    g_free(key);
    if (cause && cause->lines < LINES_A_CAUSE) {
        cause->lines++;
        return true;
    }
    if (cause)
        cause->suppressed++;
    return false;
}

static void write_line(void *unused, enum reload_log_level level, const char *area,
                       const char *text)
{
    static const char *const names[] = { "error", "warning", "info", "debug" };
    (void)unused;
    g_mutex_lock(&state.mutex);
    if (level == RELOAD_LOG_DEBUG || wanted(area, text)) {
        GDateTime *now = g_date_time_new_now_local();
        char *time = g_date_time_format(now, "%H:%M:%S.%f");
        fprintf(stderr, "%.12s %-7s %s: %s\n", time, names[level], area, text);
        g_free(time);
        g_date_time_unref(now);
    }
    g_mutex_unlock(&state.mutex);
}

struct reload_log reload_verb_log(int verbose)
{
    return (struct reload_log){ .write = write_line,
                                .level = verbose ? RELOAD_LOG_DEBUG : RELOAD_LOG_INFO };
}
