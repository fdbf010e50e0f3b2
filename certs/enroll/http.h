#ifndef RELOAD_CERTS_ENROLL_HTTP_H
#define RELOAD_CERTS_ENROLL_HTTP_H

#include "certs/enroll/connections.h"
#include "certs/enroll/issuer.h"
#include "certs/enroll/publication.h"

#include <pthread.h>

/* The HTTP side of the enrollment server: routes, bodies, answers. Private to certs/enroll.
 *
 * A POST goes: first call (header seen, refusals found) -> pieces of the body -> end of the body:
 * the connection is suspended and the request queued -> a worker decides and resumes it ->
 * answered. */

enum reload_enroll_stage { REQUEST_BODY, REQUEST_QUEUED, REQUEST_DECIDED };

struct reload_enroll_request {
    struct reload_enroll_request *next; /* in the queue */
    struct MHD_Connection *connection;
    struct reload_enroll_connection *place;
    struct MHD_PostProcessor *post;
    enum reload_enroll_stage stage;
    enum reload_enroll_event
        refusal; /* why the body is only discarded; RELOAD_ENROLL_EVENTS: it is not */
    uint64_t body_len;
    struct reload_enroll_form form;
    struct reload_enroll_decision decision;
};

struct reload_enroll_queue {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    struct reload_enroll_request *first, **last;
    uint32_t unanswered; /* queued or decided, and the answer not yet sent */
    bool stopping;
};

struct reload_enroll_http { /* what the handlers share */
    struct reload_enroll_events *events;
    struct reload_enroll_connections *connections;
    struct reload_enroll_publication *publication;
    struct reload_enroll_issuer *issuer;
    struct reload_enroll_queue queue;
};

/* The callbacks of libmicrohttpd; the closure is the struct reload_enroll_http. */
enum MHD_Result reload_enroll_http_accept(void *http, const struct sockaddr *address,
                                          socklen_t len);
void reload_enroll_http_connection(void *http, struct MHD_Connection *connection, void **context,
                                   enum MHD_ConnectionNotificationCode code);
enum MHD_Result reload_enroll_http_handle(void *http, struct MHD_Connection *connection,
                                          const char *url, const char *method, const char *version,
                                          const char *data, size_t *len, void **context);
void reload_enroll_http_completed(void *http, struct MHD_Connection *connection, void **context,
                                  enum MHD_RequestTerminationCode code);
/* A worker thread's main function: decides requests until the queue is stopping and empty. */
void *reload_enroll_http_work(void *http);

#endif
