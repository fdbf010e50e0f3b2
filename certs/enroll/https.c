#include "certs/enroll/https_internal.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

static size_t take_body(char *data, size_t size, size_t count, void *closure)
{
    struct transfer *t = closure;
    struct reload_cert_bytes *body = &t->answer->body;
    size_t len = size * count;
    if (len > t->exchange->max_len - body->n) {
        t->too_large = true;
        return 0;
    }
    uint8_t *grown = reload_realloc(body->p, body->n + len + 1);
    if (!grown)
        return 0;
    memcpy(grown + body->n, data, len);
    body->p = grown;
    body->n += len;
    return len;
}

static size_t take_header(char *data, size_t size, size_t count, void *closure)
{
    struct transfer *t = closure;
    size_t len = size * count;
    char line[128];
    snprintf(line, sizeof line, "%.*s", (int)(len < 127 ? len : 127), data);
    if (strncasecmp(line, "Date:", 5) == 0)
        t->answer->date_s = (int64_t)curl_getdate(line + 5, NULL);
    if (strncasecmp(line, "Retry-After:", 12) == 0)
        t->answer->retry_after_s = strtoll(line + 12, NULL, 10);
    return len;
}

/* The URL with the name to be checked in the place of its host; the socket still goes to the host.
 */
static bool set_url(struct transfer *t)
{
    char *host = NULL, *port = NULL, *text = NULL;
    const struct reload_enroll_exchange *e = t->exchange;
    bool ok = curl_url_set(t->url, CURLUPART_URL, e->url, 0) == CURLUE_OK &&
              curl_url_get(t->url, CURLUPART_HOST, &host, 0) == CURLUE_OK &&
              curl_url_get(t->url, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK;
    if (ok) {
        snprintf(t->host, sizeof t->host, "%s", host);
        snprintf(t->port, sizeof t->port, "%s", port);
    }
    if (ok && e->tls_name)
        ok = curl_url_set(t->url, CURLUPART_HOST, e->tls_name, 0) == CURLUE_OK;
    if (ok)
        ok = curl_url_get(t->url, CURLUPART_URL, &text, 0) == CURLUE_OK &&
             curl_easy_setopt(t->curl, CURLOPT_URL, text) == CURLE_OK;
    curl_free(host);
    curl_free(port);
    curl_free(text);
    return ok;
}

/* RFC 6940 s11.2: DNS names the address to connect to; the URL and the name check stay as they are.
 */
static bool set_destination(struct transfer *t)
{
    char line[700];
    const struct reload_enroll_target *target = t->exchange->target;
    if (target)
        snprintf(line, sizeof line, "::%s:%u", target->address, (unsigned)target->port);
    else if (t->exchange->tls_name)
        snprintf(line, sizeof line, "::%s:%s", t->host, t->port);
    else
        return true;
    t->connect_to = curl_slist_append(NULL, line);
    return t->connect_to &&
           curl_easy_setopt(t->curl, CURLOPT_CONNECT_TO, t->connect_to) == CURLE_OK;
}

static bool add_header(struct transfer *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool add_header(struct transfer *t, const char *format, ...)
{
    char line[500];
    va_list args;
    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    struct curl_slist *longer = curl_slist_append(t->headers, line);
    if (longer)
        t->headers = longer;
    return longer != NULL;
}

static bool set_headers(struct transfer *t)
{
    bool ok = add_header(t, "Accept: %s", t->exchange->accept);
    if (ok && t->exchange->tls_name)
        ok = add_header(t, "Host: %s:%s", t->host, t->port);
    return ok && curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, t->headers) == CURLE_OK;
}

static bool set_body(struct transfer *t)
{
    if (!t->exchange->parts)
        return true;
    t->mime = curl_mime_init(t->curl);
    for (size_t i = 0; t->mime && i < t->exchange->part_count; i++) {
        const struct reload_enroll_part *from = &t->exchange->parts[i];
        curl_mimepart *part = curl_mime_addpart(t->mime);
        if (!part || curl_mime_name(part, from->name) != CURLE_OK ||
            curl_mime_data(part, (const char *)from->value.p, from->value.n) != CURLE_OK ||
            (from->type && curl_mime_type(part, from->type) != CURLE_OK))
            return false;
    }
    return t->mime && curl_easy_setopt(t->curl, CURLOPT_MIMEPOST, t->mime) == CURLE_OK;
}

static bool set_trust(struct transfer *t)
{
    const struct reload_enroll_exchange *e = t->exchange;
    struct curl_blob blob = { (void *)(uintptr_t)e->ca_pem.p, e->ca_pem.n, CURL_BLOB_COPY };
    if (e->ca_pem.n && curl_easy_setopt(t->curl, CURLOPT_CAINFO_BLOB, &blob) != CURLE_OK)
        return false;
    if (e->only_ca_pem && curl_easy_setopt(t->curl, CURLOPT_CAPATH, NULL) != CURLE_OK)
        return false;
    return true;
}

static bool set_rest(struct transfer *t)
{
    CURL *c = t->curl;
    return curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)t->exchange->timeout_ms) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_WRITEDATA, t) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_HEADERDATA, t) == CURLE_OK &&
           curl_easy_setopt(c, CURLOPT_ERRORBUFFER, t->curl_text) == CURLE_OK;
}

/* TLS writes to a socket that the far end may have closed; the signal for that stops here, whatever
 * the program's own rule for it is. */
static CURLcode perform(CURL *curl)
{
    sigset_t pipe_only, pending, former;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &former);
    CURLcode code = curl_easy_perform(curl);
    if (sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1 &&
        sigismember(&former, SIGPIPE) == 0)
        sigtimedwait(&pipe_only, NULL, &(struct timespec){ 0, 0 });
    pthread_sigmask(SIG_SETMASK, &former, NULL);
    return code;
}

static void take_result(struct transfer *t)
{
    char *type = NULL;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->answer->status);
    curl_easy_getinfo(t->curl, CURLINFO_CONTENT_TYPE, &type);
    snprintf(t->answer->content_type, sizeof t->answer->content_type, "%.*s",
             type ? (int)strcspn(type, "; \t") : 0, type ? type : "");
}

static enum reload_enroll_result run(struct transfer *t)
{
    if (!set_url(t))
        return reload_enroll_transfer_ended(
            t, RELOAD_ENROLL_USAGE, "%s is not a URL that can be asked as %s", t->exchange->url,
            t->exchange->tls_name ? t->exchange->tls_name : "it stands");
    if (!set_destination(t) || !set_headers(t) || !set_body(t) || !set_trust(t) || !set_rest(t))
        return reload_enroll_transfer_ended(t, RELOAD_ENROLL_LOCAL,
                                            "the HTTPS client cannot be set up");
    CURLcode code = perform(t->curl);
    if (code != CURLE_OK)
        return reload_enroll_transfer_failed(t, code);
    take_result(t);
    return RELOAD_ENROLL_OK;
}

enum reload_enroll_result reload_enroll_https(const struct reload_enroll_exchange *exchange,
                                              struct reload_enroll_answer *answer, char *text,
                                              size_t text_cap)
{
    struct transfer t = {
        .exchange = exchange, .answer = answer, .text = text, .text_cap = text_cap
    };
    *answer = (struct reload_enroll_answer){ .date_s = -1, .retry_after_s = -1 };
    if (strncasecmp(exchange->url, "https://", 8) != 0)
        return reload_enroll_transfer_ended(
            &t, RELOAD_ENROLL_USAGE,
            "%s does not begin with https://, and nothing else is safe enough", exchange->url);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return reload_enroll_transfer_ended(&t, RELOAD_ENROLL_LOCAL,
                                            "the HTTPS client cannot be set up");
    t.curl = curl_easy_init();
    t.url = curl_url();
    enum reload_enroll_result result =
        t.curl && t.url ? run(&t)
                        : reload_enroll_transfer_ended(&t, RELOAD_ENROLL_LOCAL, "out of memory");
    curl_easy_cleanup(t.curl);
    curl_mime_free(t.mime);
    curl_slist_free_all(t.headers);
    curl_slist_free_all(t.connect_to);
    curl_url_cleanup(t.url);
    curl_global_cleanup();
    return result;
}

void reload_enroll_answer_fini(struct reload_enroll_answer *answer)
{
    reload_cert_bytes_fini(&answer->body);
}
