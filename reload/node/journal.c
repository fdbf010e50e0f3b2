#include "reload/node/state.h"

#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_BYTES 256
#define DROP_LINE_MS   1000 /* between two lines about the same reason */

static const char *const drop_texts[] = {
#define X(name, text) text,
    RELOAD_DROP_REASONS(X)
#undef X
};

const char *reload_drop_text(enum reload_drop_reason reason)
{
    return (unsigned)reason < RELOAD_DROP_COUNT ? drop_texts[reason] : "unknown";
}

static void log_text(struct reload_node *node, enum reload_log_level level, const char *text)
{
    char *copy = reload_arena_copy(&node->queue.arena, text, strlen(text) + 1);
    struct reload_action *action = copy ? reload_queue_push(&node->queue, RELOAD_ACTION_LOG) : NULL;
    if (!action)
        return;
    for (char *p = copy; *p; p++)
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
            *p = '?';
    action->log.level = level;
    action->log.area = "node";
    action->log.text = copy;
}

void reload_log_line(struct reload_node *node, enum reload_log_level level, const char *format, ...)
{
    if (level > node->config.log_level)
        return;
    char text[LINE_MAX_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    log_text(node, level, text);
}

void reload_drop(struct reload_node *node, enum reload_drop_reason reason,
                 const struct reload_slot *slot, const char *detail)
{
    node->counters.dropped[reason]++;
    struct reload_drop_line *line = &node->drops[reason];
    uint64_t now = node->now.monotonic_ms;
    if (line->last_ms && now - line->last_ms < DROP_LINE_MS) {
        line->suppressed++;
        return;
    }
    reload_log_line(node, RELOAD_LOG_WARNING, "dropped: %s%s%s (link %u, %llu more before)",
                    reload_drop_text(reason), detail ? ": " : "", detail ? detail : "",
                    slot ? (unsigned)slot->link : 0u, (unsigned long long)line->suppressed);
    *line = (struct reload_drop_line){ now ? now : 1, 0 };
}

void reload_log_message(struct reload_node *node, const char *what, uint64_t transaction_id,
                        struct reload_slice payload, bool first, const struct reload_slot *slot)
{
    if (node->config.log_level < RELOAD_LOG_DEBUG)
        return;
    char id[RELOAD_NODE_ID_TEXT] = "unbound";
    if (slot && slot->node_id.len)
        reload_node_id_text(&slot->node_id, id);
    struct reload_reader r = reload_reader_over(payload);
    uint16_t code = first ? reload_rd_u16(&r) : 0;
    reload_log_line(node, RELOAD_LOG_DEBUG, "%s %016llx %s %zu bytes, link %u %s", what,
                    (unsigned long long)transaction_id,
                    first ? reload_message_name(code) : "(fragment)", payload.n,
                    slot ? (unsigned)slot->link : 0u, id);
}
