#ifndef RELOAD_CERTS_ENROLL_EVENTS_H
#define RELOAD_CERTS_ENROLL_EVENTS_H

#include "reload/log.h"

#include <stdint.h>

/* Everything that can become of a request or connection to the enrollment server: one counter each,
 * and a log line with the reason, at most RELOAD_ENROLL_LOG_PER_S of one kind a second. Safe from
 * any thread. */

#define RELOAD_ENROLL_LOG_PER_S 5

enum reload_enroll_event {
    RELOAD_ENROLL_DOCUMENT,              /* 200, the overlay document */
    RELOAD_ENROLL_ISSUED,                /* 200, a certificate */
    RELOAD_ENROLL_FAILED_AUTHENTICATION, /* 403, the four tokens of RFC 6940 s11.3 */
    RELOAD_ENROLL_USERNAME_NOT_AVAILABLE,
    RELOAD_ENROLL_NODE_IDS_NOT_AVAILABLE,
    RELOAD_ENROLL_BAD_CSR,
    RELOAD_ENROLL_TOO_MANY_ATTEMPTS,     /* 429, wrong passwords */
    RELOAD_ENROLL_TOO_MANY_CERTIFICATES, /* 429, RELOAD_ENROLL_CERTIFICATES_MAX */
    RELOAD_ENROLL_INTERNAL_ERROR,        /* 500, the log tells */
    RELOAD_ENROLL_BUSY,                  /* 503, stopping */
    RELOAD_ENROLL_BAD_REQUEST,           /* 400 */
    RELOAD_ENROLL_NOT_FOUND,             /* 404 */
    RELOAD_ENROLL_BAD_METHOD,            /* 405 */
    RELOAD_ENROLL_NOT_ACCEPTABLE,        /* 406, Accept without application/pkix-cert */
    RELOAD_ENROLL_TOO_LARGE,             /* 413 */
    RELOAD_ENROLL_BAD_MEDIA_TYPE,        /* 415, not multipart/form-data */
    RELOAD_ENROLL_SLOW,                  /* connection cut at its deadline */
    RELOAD_ENROLL_TOO_MANY_CONNECTIONS,  /* connection cut to make room */
    RELOAD_ENROLL_TOO_MANY_FROM_ADDRESS, /* ... to another of its address; or refused */
    RELOAD_ENROLL_BAD_DOCUMENT,          /* overlay.xml changed to something that is not served */
    RELOAD_ENROLL_EVENTS,
};

struct reload_enroll_counters {
    uint64_t of[RELOAD_ENROLL_EVENTS];
};

struct reload_enroll_events;

/* The token or name of an event, as answered and logged; static. */
const char *reload_enroll_event_text(enum reload_enroll_event event);

/* log is borrowed and may be NULL; its sink is called from the server's threads, one at a time. */
struct reload_enroll_events *reload_enroll_events_new(const struct reload_log *log);
void reload_enroll_events_free(struct reload_enroll_events *events);
void reload_enroll_events_read(struct reload_enroll_events *events,
                               struct reload_enroll_counters *out);
/* Counts, and logs the sentence unless there were too many of its kind this second. */
void reload_enroll_note(struct reload_enroll_events *events, enum reload_enroll_event event,
                        const char *format, ...) __attribute__((format(printf, 3, 4)));

uint64_t reload_enroll_monotonic_ms(void);
uint64_t reload_enroll_unix_ms(void);

#endif
