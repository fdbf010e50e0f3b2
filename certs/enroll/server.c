#include "certs/enroll/server.h"

#include "certs/enroll/http.h"
#include "certs/enroll/listen.h"
#include "certs/file.h"
#include "certs/overlay_dir.h"
#include "reload/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define WORKERS_MAX  16
#define LOCK         "enroll.lock"
#define WATCH_MS     1000
#define FLUSH_MS     1000  /* how long stop() waits for answers to go out */
#define MEMORY_BYTES 32768 /* of one connection: its header must fit in */
#define PRIORITIES   "NORMAL:-VERS-ALL:+VERS-TLS1.2:+VERS-TLS1.3"

struct reload_enroll_server {
    struct reload_enroll_server_options options;
    struct reload_enroll_http http;
    struct MHD_Daemon *daemon;
    pthread_t workers[WORKERS_MAX], watchman;
    uint32_t worker_count;
    bool watching;
    int lock_fd, listen_fd;
    uint16_t port;
};

struct reload_enroll_server_options reload_enroll_server_options_default(void)
{
    return (struct reload_enroll_server_options){
        .listen_fd = -1,
        .certificate_lifetime_s = RELOAD_ENROLL_LIFETIME_DEFAULT_S,
        .password_cost = RELOAD_ENROLL_COST_DEFAULT,
        .workers = 2,
        .guesses = { .user_failures = 5,
                     .prefix_failures = 20,
                     .pause_ms = 60 * 1000,
                     .pause_max_ms = 16 * 60 * 1000 },
        .connections = { .total = 200,
                         .per_address = 20,
                         .header_ms = 10 * 1000,
                         .request_ms = 30 * 1000 },
    };
}

/* --- start --- */

/* Two servers on one folder would each count guesses for themselves and sign side by side. */
static int take_lock(struct reload_enroll_server *s, struct reload_cert_reason *reason)
{
    char *path = reload_cert_file_path(s->options.directory, LOCK);
    if (!path)
        return RELOAD_E_NOMEM;
    int error = 0;
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0)
        error = reload_cert_refuse(reason, RELOAD_E_IO, "%s cannot be opened: %s", path,
                                   strerror(errno));
    else if (flock(s->lock_fd, LOCK_EX | LOCK_NB) != 0)
        error = reload_cert_refuse(reason, RELOAD_E_STATE,
                                   "another enrollment server is running on %s; stop it first",
                                   s->options.directory);
    reload_free(path);
    return error;
}

static int open_parts(struct reload_enroll_server *s, struct reload_cert_reason *reason)
{
    struct reload_enroll_http *http = &s->http;
    http->events = reload_enroll_events_new(s->options.log);
    if (!http->events)
        return RELOAD_E_NOMEM;
    http->connections = reload_enroll_connections_new(&s->options.connections, http->events);
    if (!http->connections)
        return RELOAD_E_NOMEM;
    struct reload_enroll_issuer_options issuer = {
        .directory = s->options.directory,
        .certificate_lifetime_s = s->options.certificate_lifetime_s,
        .password_cost = s->options.password_cost,
        .guesses = s->options.guesses,
        .events = http->events,
    };
    int error = reload_enroll_issuer_new(&issuer, &http->issuer, reason);
    if (error)
        return error;
    struct reload_enroll_publication_options publication = {
        .directory = s->options.directory,
        .policy = s->options.policy,
        .ca = reload_enroll_issuer_ca(http->issuer),
        .events = http->events,
    };
    return reload_enroll_publication_new(&publication, &http->publication, reason);
}

/* The file as a string; wiped by the caller. */
static int read_pem(const char *directory, const char *name, bool secret, char **out,
                    struct reload_cert_reason *reason)
{
    struct reload_cert_bytes bytes = { 0 };
    char *path = reload_cert_file_path(directory, name);
    if (!path)
        return RELOAD_E_NOMEM;
    int error = secret ? reload_cert_file_read_secret(path, &bytes, reason)
                       : reload_cert_file_read(path, &bytes, reason);
    if (!error) {
        *out = reload_strndup((const char *)bytes.p, bytes.n);
        error = *out ? 0 : RELOAD_E_NOMEM;
    }
    reload_cert_bytes_wipe(&bytes);
    reload_free(path);
    return error;
}

static void log_library(void *closure, const char *format, va_list args)
{
    const struct reload_enroll_server *s = closure;
    char text[300];
    vsnprintf(text, sizeof text, format, args);
    text[strcspn(text, "\n")] = '\0';
    reload_log_write(s->options.log, RELOAD_LOG_DEBUG, "enroll", "libmicrohttpd: %s", text);
}

static struct MHD_Daemon *start_daemon(struct reload_enroll_server *s, const char *certificate,
                                       const char *key)
{
    unsigned flags =
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    unsigned idle_s = s->options.connections.header_ms / 1000 + 1;
    unsigned spare =
        8; /* connections.h makes room below this limit; MHD would stop accepting at it */
    return MHD_start_daemon(
        flags, 0, reload_enroll_http_accept, &s->http, reload_enroll_http_handle, &s->http,
        MHD_OPTION_EXTERNAL_LOGGER, log_library, s, MHD_OPTION_LISTEN_SOCKET, s->listen_fd,
        MHD_OPTION_HTTPS_MEM_CERT, certificate, MHD_OPTION_HTTPS_MEM_KEY, key,
        MHD_OPTION_HTTPS_PRIORITIES, PRIORITIES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_CONNECTION_LIMIT, s->options.connections.total + spare,
        MHD_OPTION_CONNECTION_TIMEOUT, idle_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)MEMORY_BYTES, MHD_OPTION_NOTIFY_CONNECTION, reload_enroll_http_connection, &s->http,
        MHD_OPTION_NOTIFY_COMPLETED, reload_enroll_http_completed, &s->http, MHD_OPTION_END);
}

static int start_https(struct reload_enroll_server *s, struct reload_cert_reason *reason)
{
    const char *directory = s->options.directory;
    char *certificate = NULL, *key = NULL;
    int error = read_pem(directory, RELOAD_CERT_HTTPS_PEM, false, &certificate, reason);
    if (!error)
        error = read_pem(directory, RELOAD_CERT_HTTPS_KEY, true, &key, reason);
    if (!error) {
        s->daemon = start_daemon(s, certificate, key);
        if (!s->daemon)
            error = reload_cert_refuse(reason, RELOAD_E_IO,
                                       "the HTTPS server does not start: see that https.pem and "
                                       "https.key in %s belong together",
                                       directory);
    }
    if (key)
        OPENSSL_cleanse(key, strlen(key));
    reload_free(key);
    reload_free(certificate);
    return error;
}

static void *watch(void *closure)
{
    struct reload_enroll_http *http = closure;
    for (;;) {
        pthread_mutex_lock(&http->queue.mutex);
        bool stopping = http->queue.stopping;
        pthread_mutex_unlock(&http->queue.mutex);
        if (stopping)
            return NULL;
        reload_enroll_connections_watch(http->connections, WATCH_MS);
    }
}

static int start_threads(struct reload_enroll_server *s)
{
    uint32_t wanted = s->options.workers ? s->options.workers : 1;
    if (wanted > WORKERS_MAX)
        wanted = WORKERS_MAX;
    while (s->worker_count < wanted) {
        if (pthread_create(&s->workers[s->worker_count], NULL, reload_enroll_http_work, &s->http))
            return RELOAD_E_IO;
        s->worker_count++;
    }
    if (pthread_create(&s->watchman, NULL, watch, &s->http))
        return RELOAD_E_IO;
    s->watching = true;
    return 0;
}

static struct reload_enroll_server *new_server(const struct reload_enroll_server_options *options)
{
    struct reload_enroll_server *s = reload_calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->options = *options;
    s->lock_fd = -1;
    s->listen_fd = options->listen_fd;
    s->options.directory = reload_strndup(options->directory, strlen(options->directory));
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&s->http.queue.changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&s->http.queue.mutex, NULL);
    s->http.queue.last = &s->http.queue.first;
    return s;
}

int reload_enroll_server_start(const struct reload_enroll_server_options *options,
                               struct reload_enroll_server **out, struct reload_cert_reason *reason)
{
    *out = NULL;
    struct reload_enroll_server *s = new_server(options);
    if (!s)
        return RELOAD_E_NOMEM;
    int error = s->options.directory ? take_lock(s, reason) : RELOAD_E_NOMEM;
    if (!error)
        error = open_parts(s, reason);
    if (!error && s->listen_fd < 0)
        error = reload_enroll_listen(options->listen, &s->listen_fd, reason);
    if (!error)
        error = reload_enroll_listen_port(s->listen_fd, &s->port, reason);
    if (!error)
        error = start_threads(s);
    if (!error)
        error = start_https(s, reason);
    if (error)
        reload_enroll_server_stop(s);
    else
        *out = s;
    return error;
}

/* --- stop --- */

static void stop_threads(struct reload_enroll_server *s)
{
    struct reload_enroll_queue *queue = &s->http.queue;
    pthread_mutex_lock(&queue->mutex);
    queue->stopping = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->mutex);
    for (uint32_t i = 0; i < s->worker_count; i++)
        pthread_join(s->workers[i], NULL);
    if (!s->watching)
        return;
    reload_enroll_connections_wake(s->http.connections);
    pthread_join(s->watchman, NULL);
}

/* Lets the answers that were decided reach their clients. */
static void flush(struct reload_enroll_queue *queue)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += FLUSH_MS / 1000;
    pthread_mutex_lock(&queue->mutex);
    while (queue->unanswered)
        if (pthread_cond_timedwait(&queue->changed, &queue->mutex, &until) == ETIMEDOUT)
            break;
    pthread_mutex_unlock(&queue->mutex);
}

static void stop_https(struct reload_enroll_server *s)
{
    if (s->daemon)
        MHD_quiesce_daemon(s->daemon); /* gives the listening socket back */
    stop_threads(s);
    if (s->daemon) {
        flush(&s->http.queue);
        MHD_stop_daemon(s->daemon);
    }
    if (s->listen_fd >= 0)
        close(s->listen_fd);
}

void reload_enroll_server_stop(struct reload_enroll_server *s)
{
    if (!s)
        return;
    stop_https(s);
    reload_enroll_publication_free(s->http.publication);
    reload_enroll_issuer_free(s->http.issuer);
    reload_enroll_connections_free(s->http.connections);
    reload_enroll_events_free(s->http.events);
    pthread_mutex_destroy(&s->http.queue.mutex);
    pthread_cond_destroy(&s->http.queue.changed);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    reload_free((char *)(uintptr_t)s->options.directory);
    reload_free(s);
}

/* --- questions --- */

uint16_t reload_enroll_server_port(const struct reload_enroll_server *server)
{
    return server->port;
}

void reload_enroll_server_counters(struct reload_enroll_server *server,
                                   struct reload_enroll_counters *out)
{
    reload_enroll_events_read(server->http.events, out);
}

uint32_t reload_enroll_server_connections(struct reload_enroll_server *server)
{
    return reload_enroll_connections_count(server->http.connections);
}
