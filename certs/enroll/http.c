#include "certs/enroll/http.h"

#include "certs/enroll/server.h"
#include "reload/alloc.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define POST_BUFFER 4096

enum MHD_Result reload_enroll_http_accept(void *closure, const struct sockaddr *address,
                                          socklen_t len)
{
    struct reload_enroll_http *http = closure;
    (void)len;
    struct reload_enroll_address from = reload_enroll_address_of(address);
    return reload_enroll_connections_allow(http->connections, &from) ? MHD_YES : MHD_NO;
}

void reload_enroll_http_connection(void *closure, struct MHD_Connection *connection, void **context,
                                   enum MHD_ConnectionNotificationCode code)
{
    struct reload_enroll_http *http = closure;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
        if (*context)
            reload_enroll_connections_close(http->connections, *context);
        *context = NULL;
        return;
    }
    int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    struct reload_enroll_address from = reload_enroll_address_of(
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
    *context = reload_enroll_connections_open(http->connections, fd, &from);
    if (!*context)
        shutdown(fd, SHUT_RDWR);
}

/* --- answers --- */

static unsigned status_of(enum reload_enroll_event event)
{
    switch (event) {
    case RELOAD_ENROLL_DOCUMENT:
    case RELOAD_ENROLL_ISSUED: return MHD_HTTP_OK;
    case RELOAD_ENROLL_FAILED_AUTHENTICATION:
    case RELOAD_ENROLL_USERNAME_NOT_AVAILABLE:
    case RELOAD_ENROLL_NODE_IDS_NOT_AVAILABLE:
    case RELOAD_ENROLL_BAD_CSR: return MHD_HTTP_FORBIDDEN; /* RFC 6940 s11.3 */
    case RELOAD_ENROLL_TOO_MANY_ATTEMPTS:
    case RELOAD_ENROLL_TOO_MANY_CERTIFICATES: return MHD_HTTP_TOO_MANY_REQUESTS;
    case RELOAD_ENROLL_BUSY: return MHD_HTTP_SERVICE_UNAVAILABLE;
    case RELOAD_ENROLL_BAD_REQUEST: return MHD_HTTP_BAD_REQUEST;
    case RELOAD_ENROLL_NOT_FOUND: return MHD_HTTP_NOT_FOUND;
    case RELOAD_ENROLL_BAD_METHOD: return MHD_HTTP_METHOD_NOT_ALLOWED;
    case RELOAD_ENROLL_NOT_ACCEPTABLE: return MHD_HTTP_NOT_ACCEPTABLE;
    case RELOAD_ENROLL_TOO_LARGE: return MHD_HTTP_CONTENT_TOO_LARGE;
    case RELOAD_ENROLL_BAD_MEDIA_TYPE: return MHD_HTTP_UNSUPPORTED_MEDIA_TYPE;
    default: return MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
}

/* One request a connection: its deadline then needs no second meaning. Takes the response. */
static enum MHD_Result send_response(struct MHD_Connection *connection, unsigned status,
                                     const char *type, struct MHD_Response *response)
{
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

/* The body is the token of s11.3, or our word for what HTTP itself refuses, and nothing else. */
static enum MHD_Result answer_event(struct MHD_Connection *connection,
                                    enum reload_enroll_event event, uint64_t retry_ms,
                                    const char *allow)
{
    const char *text = reload_enroll_event_text(event);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);
    if (response && retry_ms) {
        char seconds[24];
        snprintf(seconds, sizeof seconds, "%llu", (unsigned long long)((retry_ms + 999) / 1000));
        MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    }
    if (response && allow)
        MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, allow);
    return send_response(connection, status_of(event), "text/plain", response);
}

static enum MHD_Result answer_decision(struct reload_enroll_request *r)
{
    if (r->decision.event != RELOAD_ENROLL_ISSUED)
        return answer_event(r->connection, r->decision.event, r->decision.retry_ms, NULL);
    if (reload_enroll_durable_step)
        reload_enroll_durable_step("answer");
    return send_response(r->connection, MHD_HTTP_OK, "application/pkix-cert",
                         MHD_create_response_from_buffer(r->decision.der.n, r->decision.der.p,
                                                         MHD_RESPMEM_MUST_COPY));
}

static void note_refusal(struct reload_enroll_http *http, struct MHD_Connection *connection,
                         enum reload_enroll_event event, const char *method, const char *url)
{
    char text[64];
    struct reload_enroll_address from = reload_enroll_address_of(
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS)->client_addr);
    reload_enroll_note(http->events, event, "%.16s %.64s from %s", method, url,
                       reload_enroll_address_text(&from, text));
}

/* --- the header --- */

static const char *header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static bool is_multipart(const char *type)
{
    static const char want[] = "multipart/form-data";
    return type && strncasecmp(type, want, sizeof want - 1) == 0;
}

/* RFC 2045 s5.1: parameters' names are in any case, but libmicrohttpd looks for this one in small
 * letters. The value lies in the connection's own memory, which it parses in place. */
static void lower_boundary_name(struct MHD_Connection *connection)
{
    static const char name[] = "boundary";
    const char *type = header(connection, MHD_HTTP_HEADER_CONTENT_TYPE);
    const char *at = type ? strcasestr(type, "boundary=") : NULL;
    if (at)
        memcpy((char *)(uintptr_t)at, name, sizeof name - 1);
}

/* RFC 6940 s11.3: Accept MUST contain application/pkix-cert. A client that leaves it out altogether
 * accepts everything (RFC 9110 s12.5.1). */
static bool accepts_certificate(const char *accept)
{
    return !accept || strcasestr(accept, "application/pkix-cert") || strstr(accept, "*/*") ||
           strcasestr(accept, "application/*");
}

static uint64_t content_length(struct MHD_Connection *connection)
{
    const char *text = header(connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
    return text ? strtoull(text, NULL, 10) : 0;
}

static enum reload_enroll_event refusal_of(struct MHD_Connection *connection, bool post_allowed)
{
    if (!post_allowed)
        return RELOAD_ENROLL_BAD_METHOD;
    if (content_length(connection) > RELOAD_ENROLL_BODY_MAX)
        return RELOAD_ENROLL_TOO_LARGE;
    if (!is_multipart(header(connection, MHD_HTTP_HEADER_CONTENT_TYPE)))
        return RELOAD_ENROLL_BAD_MEDIA_TYPE;
    if (!accepts_certificate(header(connection, MHD_HTTP_HEADER_ACCEPT)))
        return RELOAD_ENROLL_NOT_ACCEPTABLE;
    return RELOAD_ENROLL_EVENTS;
}

static enum MHD_Result take_field(void *closure, enum MHD_ValueKind kind, const char *key,
                                  const char *filename, const char *type, const char *encoding,
                                  const char *data, uint64_t at, size_t len)
{
    struct reload_enroll_request *r = closure;
    (void)kind;
    (void)filename;
    reload_enroll_form_take(&r->form, key, type, encoding, data, at, len);
    return MHD_YES;
}

static struct reload_enroll_request *request_new(struct MHD_Connection *connection,
                                                 struct reload_enroll_connection *place,
                                                 enum reload_enroll_event refusal)
{
    struct reload_enroll_request *r = reload_calloc(1, sizeof *r);
    if (!r)
        return NULL;
    r->connection = connection;
    r->place = place;
    r->refusal = refusal;
    if (refusal != RELOAD_ENROLL_EVENTS)
        return r;
    lower_boundary_name(connection);
    r->post = MHD_create_post_processor(connection, POST_BUFFER, take_field, r);
    if (!r->post)
        r->refusal = RELOAD_ENROLL_BAD_REQUEST; /* no boundary */
    return r;
}

static enum MHD_Result begin_post(struct reload_enroll_http *http,
                                  struct MHD_Connection *connection,
                                  struct reload_enroll_connection *place,
                                  enum reload_enroll_event refusal, void **context)
{
    bool waits = header(connection, MHD_HTTP_HEADER_EXPECT) != NULL;
    bool huge = content_length(connection) > RELOAD_ENROLL_DISCARD_MAX;
    if (refusal != RELOAD_ENROLL_EVENTS && (waits || huge)) {
        note_refusal(http, connection, refusal, "POST", "before its body");
        return answer_event(connection, refusal, 0, NULL);
    }
    struct reload_enroll_request *r = request_new(connection, place, refusal);
    *context = r;
    return r ? MHD_YES : MHD_NO;
}

static enum MHD_Result begin(struct reload_enroll_http *http, struct MHD_Connection *connection,
                             const char *url, const char *method, void **context)
{
    struct reload_enroll_connection *place =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    if (!place)
        return MHD_NO;
    reload_enroll_connections_header(http->connections, place);
    bool config = strcmp(url, RELOAD_ENROLL_PATH_CONFIG) == 0;
    bool enroll = config || strcmp(url, RELOAD_ENROLL_PATH_ENROLL) == 0;
    if (strcmp(method, MHD_HTTP_METHOD_POST) == 0)
        return begin_post(http, connection, place,
                          enroll ? refusal_of(connection, true) : RELOAD_ENROLL_NOT_FOUND, context);
    bool get =
        strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    if (config && get) {
        note_refusal(http, connection, RELOAD_ENROLL_DOCUMENT, method, url);
        return reload_enroll_publication_answer(http->publication, connection);
    }
    enum reload_enroll_event event = enroll ? RELOAD_ENROLL_BAD_METHOD : RELOAD_ENROLL_NOT_FOUND;
    note_refusal(http, connection, event, method, url);
    return answer_event(connection, event, 0, !enroll ? NULL : config ? "GET, HEAD, POST" : "POST");
}

/* --- the body --- */

/* MHD_NO drops the connection: what is refused is read only so far as lets the answer through. */
static enum MHD_Result take_body(struct reload_enroll_request *r, const char *data, size_t *len)
{
    r->body_len += *len;
    if (r->body_len > RELOAD_ENROLL_DISCARD_MAX)
        return MHD_NO;
    if (r->body_len > RELOAD_ENROLL_BODY_MAX &&
        (r->refusal == RELOAD_ENROLL_EVENTS || r->refusal == RELOAD_ENROLL_BAD_REQUEST))
        r->refusal = RELOAD_ENROLL_TOO_LARGE;
    if (r->refusal == RELOAD_ENROLL_EVENTS && MHD_post_process(r->post, data, *len) != MHD_YES)
        r->refusal = RELOAD_ENROLL_BAD_REQUEST;
    *len = 0;
    return MHD_YES;
}

static void finish_form(struct reload_enroll_request *r)
{
    if (!r->post)
        return;
    enum MHD_Result whole = MHD_destroy_post_processor(r->post);
    r->post = NULL;
    if (r->refusal == RELOAD_ENROLL_EVENTS && (whole != MHD_YES || r->form.repeated))
        r->refusal = RELOAD_ENROLL_BAD_REQUEST;
}

/* False when the workers are leaving. A worker may resume the connection before this returns. */
static bool submit(struct reload_enroll_queue *queue, struct reload_enroll_request *r)
{
    pthread_mutex_lock(&queue->mutex);
    bool open = !queue->stopping;
    if (open) {
        MHD_suspend_connection(r->connection);
        r->stage = REQUEST_QUEUED;
        *queue->last = r;
        queue->last = &r->next;
        queue->unanswered++;
        pthread_cond_broadcast(&queue->changed);
    }
    pthread_mutex_unlock(&queue->mutex);
    return open;
}

enum MHD_Result reload_enroll_http_handle(void *closure, struct MHD_Connection *connection,
                                          const char *url, const char *method, const char *version,
                                          const char *data, size_t *len, void **context)
{
    struct reload_enroll_http *http = closure;
    struct reload_enroll_request *r = *context;
    (void)version;
    if (!r)
        return begin(http, connection, url, method, context);
    if (*len)
        return take_body(r, data, len);
    switch (r->stage) {
    case REQUEST_BODY: break;
    case REQUEST_QUEUED: return MHD_YES;
    case REQUEST_DECIDED: return answer_decision(r);
    }
    finish_form(r);
    reload_enroll_connections_whole(http->connections, r->place);
    if (r->refusal == RELOAD_ENROLL_EVENTS && submit(&http->queue, r))
        return MHD_YES;
    if (r->refusal == RELOAD_ENROLL_EVENTS)
        r->refusal = RELOAD_ENROLL_BUSY;
    note_refusal(http, connection, r->refusal, method, url);
    return answer_event(connection, r->refusal, 0, NULL);
}

void reload_enroll_http_completed(void *closure, struct MHD_Connection *connection, void **context,
                                  enum MHD_RequestTerminationCode code)
{
    struct reload_enroll_http *http = closure;
    struct reload_enroll_request *r = *context;
    (void)connection;
    (void)code;
    *context = NULL;
    if (!r)
        return;
    if (r->post)
        MHD_destroy_post_processor(r->post);
    if (r->stage == REQUEST_DECIDED) {
        pthread_mutex_lock(&http->queue.mutex);
        http->queue.unanswered--;
        pthread_cond_broadcast(&http->queue.changed);
        pthread_mutex_unlock(&http->queue.mutex);
    }
    reload_cert_bytes_fini(&r->decision.der);
    reload_enroll_form_wipe(&r->form);
    reload_free(r);
}

/* --- the workers --- */

/* NULL: stopping, and nothing is left. */
static struct reload_enroll_request *take(struct reload_enroll_queue *queue, bool *stopping)
{
    pthread_mutex_lock(&queue->mutex);
    while (!queue->first && !queue->stopping)
        pthread_cond_wait(&queue->changed, &queue->mutex);
    struct reload_enroll_request *r = queue->first;
    if (r) {
        queue->first = r->next;
        if (!queue->first)
            queue->last = &queue->first;
    }
    *stopping = queue->stopping;
    pthread_mutex_unlock(&queue->mutex);
    return r;
}

static void decide(struct reload_enroll_http *http, struct reload_enroll_request *r)
{
    struct reload_enroll_edition edition = reload_enroll_publication_edition(http->publication);
    struct reload_enroll_overlay overlay = { edition.overlay, edition.node_id_len };
    reload_enroll_issuer_decide(http->issuer, &overlay, &r->form,
                                reload_enroll_connection_address(r->place), &r->decision);
}

void *reload_enroll_http_work(void *closure)
{
    struct reload_enroll_http *http = closure;
    struct reload_enroll_request *r;
    bool stopping;
    while ((r = take(&http->queue, &stopping)) != NULL) {
        if (stopping) {
            r->decision.event = RELOAD_ENROLL_BUSY;
            reload_enroll_note(http->events, RELOAD_ENROLL_BUSY, "request not begun");
        } else {
            decide(http, r);
        }
        r->stage = REQUEST_DECIDED;
        MHD_resume_connection(r->connection); /* r belongs to the other thread again */
    }
    return NULL;
}
