#ifndef RELOAD_NODE_JOURNAL_H
#define RELOAD_NODE_JOURNAL_H

#include "reload/node/connection.h"

/* The log, counters and drops: journal.c. */

struct reload_drop_line { /* one a reason: at most one log line a second */
    uint64_t last_ms, suppressed;
};

void reload_drop(struct reload_node *node, enum reload_drop_reason reason,
                 const struct reload_slot *slot, const char *detail);
void reload_log_line(struct reload_node *node, enum reload_log_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* One line a message, at debug level. */
void reload_log_message(struct reload_node *node, const char *what, uint64_t transaction_id,
                        struct reload_slice payload, bool first, const struct reload_slot *slot);

#endif
