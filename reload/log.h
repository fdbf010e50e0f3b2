#ifndef RELOAD_LOG_H
#define RELOAD_LOG_H

/* Levels of a log line. The core hands lines out as actions (reload/node/action.h); other layers
 * write to a sink they were given. Keys, passwords and message bodies never enter a line. */
enum reload_log_level {
    RELOAD_LOG_ERROR,
    RELOAD_LOG_WARNING,
    RELOAD_LOG_INFO,
    RELOAD_LOG_DEBUG,
};

struct reload_log {
    void (*write)(void *context, enum reload_log_level level, const char *area, const char *text);
    void *context;
    enum reload_log_level level; /* lines above this level are not made */
};

/* Formats one line and hands it to the sink, if its level is wanted. Bytes of the text outside
 * printable ASCII become "?", so that a hostile name cannot drive a terminal. A NULL sink is fine.
 */
void reload_log_write(const struct reload_log *log, enum reload_log_level level, const char *area,
                      const char *format, ...) __attribute__((format(printf, 4, 5)));

#endif
