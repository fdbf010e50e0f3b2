#include "certs/enroll/events.h"

#include "reload/alloc.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <time.h>

struct reload_enroll_events {
    pthread_mutex_t mutex;
    const struct reload_log *log;
    struct reload_enroll_counters counters;
    struct {
        uint64_t second;
        uint32_t lines, dropped;
    } rate[RELOAD_ENROLL_EVENTS];
};

static const char *const texts[RELOAD_ENROLL_EVENTS] = {
    [RELOAD_ENROLL_DOCUMENT] = "document",
    [RELOAD_ENROLL_ISSUED] = "issued",
    [RELOAD_ENROLL_FAILED_AUTHENTICATION] = "failed_authentication",
    [RELOAD_ENROLL_USERNAME_NOT_AVAILABLE] = "username_not_available",
    [RELOAD_ENROLL_NODE_IDS_NOT_AVAILABLE] = "Node-IDs_not_available",
    [RELOAD_ENROLL_BAD_CSR] = "bad_CSR",
    [RELOAD_ENROLL_TOO_MANY_ATTEMPTS] = "too_many_attempts",
    [RELOAD_ENROLL_TOO_MANY_CERTIFICATES] = "too_many_certificates",
    [RELOAD_ENROLL_INTERNAL_ERROR] = "internal_error",
    [RELOAD_ENROLL_BUSY] = "stopping",
    [RELOAD_ENROLL_BAD_REQUEST] = "bad_request",
    [RELOAD_ENROLL_NOT_FOUND] = "not_found",
    [RELOAD_ENROLL_BAD_METHOD] = "bad_method",
    [RELOAD_ENROLL_NOT_ACCEPTABLE] = "not_acceptable",
    [RELOAD_ENROLL_TOO_LARGE] = "too_large",
    [RELOAD_ENROLL_BAD_MEDIA_TYPE] = "bad_media_type",
    [RELOAD_ENROLL_SLOW] = "slow",
    [RELOAD_ENROLL_TOO_MANY_CONNECTIONS] = "too_many_connections",
    [RELOAD_ENROLL_TOO_MANY_FROM_ADDRESS] = "too_many_from_address",
    [RELOAD_ENROLL_BAD_DOCUMENT] = "bad_document",
};

const char *reload_enroll_event_text(enum reload_enroll_event event)
{
    return (unsigned)event < RELOAD_ENROLL_EVENTS ? texts[event] : "unknown";
}

struct reload_enroll_events *reload_enroll_events_new(const struct reload_log *log)
{
    struct reload_enroll_events *events = reload_calloc(1, sizeof *events);
    if (!events)
        return NULL;
    pthread_mutex_init(&events->mutex, NULL);
    events->log = log;
    return events;
}

void reload_enroll_events_free(struct reload_enroll_events *events)
{
    if (!events)
        return;
    pthread_mutex_destroy(&events->mutex);
    reload_free(events);
}

void reload_enroll_events_read(struct reload_enroll_events *events,
                               struct reload_enroll_counters *out)
{
    pthread_mutex_lock(&events->mutex);
    *out = events->counters;
    pthread_mutex_unlock(&events->mutex);
}

static enum reload_log_level level_of(enum reload_enroll_event event)
{
    if (event == RELOAD_ENROLL_INTERNAL_ERROR || event == RELOAD_ENROLL_BAD_DOCUMENT)
        return RELOAD_LOG_ERROR;
    if (event == RELOAD_ENROLL_DOCUMENT)
        return RELOAD_LOG_DEBUG;
    return event == RELOAD_ENROLL_ISSUED ? RELOAD_LOG_INFO : RELOAD_LOG_WARNING;
}

void reload_enroll_note(struct reload_enroll_events *events, enum reload_enroll_event event,
                        const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    uint64_t second = reload_enroll_monotonic_ms() / 1000;
    pthread_mutex_lock(&events->mutex);
    events->counters.of[event]++;
    if (events->rate[event].second != second) {
        if (events->rate[event].dropped)
            reload_log_write(events->log, level_of(event), "enroll", "%s: %u more like this",
                             texts[event], events->rate[event].dropped);
        events->rate[event].second = second;
        events->rate[event].lines = events->rate[event].dropped = 0;
    }
    if (events->rate[event].lines < RELOAD_ENROLL_LOG_PER_S) {
        events->rate[event].lines++;
        reload_log_write(events->log, level_of(event), "enroll", "%s: %s", texts[event], text);
    } else {
        events->rate[event].dropped++;
    }
    pthread_mutex_unlock(&events->mutex);
}

static uint64_t clock_ms(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t reload_enroll_monotonic_ms(void)
{
    return clock_ms(CLOCK_MONOTONIC);
}

uint64_t reload_enroll_unix_ms(void)
{
    return clock_ms(CLOCK_REALTIME);
}
