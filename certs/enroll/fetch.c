/* RFC 6940 s11.2: discovery through the configuration server. */
#include "certs/enroll/client_parts.h"
#include "certs/enroll/events.h"
#include "certs/enroll/server.h"
#include "certs/file.h"
#include "certs/overlay_dir.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum reload_enroll_result reload_enroll_ca(const struct reload_enroll_client_options *options,
                                           struct reload_cert_bytes *pem,
                                           struct reload_enroll_outcome *out)
{
    struct reload_cert_reason reason = { "" };
    *pem = (struct reload_cert_bytes){ 0 };
    if (!options->ca_file)
        return RELOAD_ENROLL_OK;
    if (reload_cert_file_read(options->ca_file, pem, &reason))
        return reload_enroll_say(out, RELOAD_ENROLL_LOCAL, "--ca: %s", reason.text);
    if (memmem(pem->p, pem->n, "-----BEGIN CERTIFICATE-----", 27))
        return RELOAD_ENROLL_OK;
    reload_cert_bytes_fini(pem);
    return reload_enroll_say(out, RELOAD_ENROLL_LOCAL, "--ca: %s holds no PEM certificate",
                             options->ca_file);
}

static enum reload_enroll_result get(const struct reload_enroll_client_options *options,
                                     const char *url, const struct reload_enroll_target *target,
                                     struct reload_enroll_answer *answer,
                                     struct reload_enroll_outcome *out)
{
    struct reload_cert_bytes pem;
    enum reload_enroll_result result = reload_enroll_ca(options, &pem, out);
    if (result)
        return result;
    struct reload_enroll_exchange exchange = {
        .url = url,
        .target = target,
        .accept = "application/p2p-overlay+xml",
        .ca_pem = reload_cert_bytes_slice(&pem),
        .only_ca_pem = options->ca_file != NULL,
        .timeout_ms = reload_enroll_timeout_ms(options),
        .max_len = RELOAD_ENROLL_DOCUMENT_MAX,
    };
    reload_log_write(options->log, RELOAD_LOG_INFO, "enroll", "fetching %s", url);
    out->result = result = reload_enroll_https(&exchange, answer, out->text, sizeof out->text);
    reload_cert_bytes_fini(&pem);
    if (!result && answer->status != 200)
        result =
            reload_enroll_say(out, RELOAD_ENROLL_HTTP,
                              "%s answers with HTTP status %ld instead of an overlay document: "
                              "check the URL",
                              url, answer->status);
    return result;
}

/* Whether another SRV target may do better. */
static bool try_next(enum reload_enroll_result result)
{
    return result == RELOAD_ENROLL_CONNECT || result == RELOAD_ENROLL_TIMEOUT ||
           result == RELOAD_ENROLL_TLS;
}

static enum reload_enroll_result get_by_name(const struct reload_enroll_client_options *options,
                                             struct reload_enroll_answer *answer,
                                             struct reload_enroll_outcome *out)
{
    struct reload_enroll_target targets[RELOAD_ENROLL_TARGETS_MAX];
    struct reload_cert_reason reason = { "" };
    char url[400];
    size_t count;
    int error = reload_enroll_discover(options->source, options->dns_servers,
                                       reload_enroll_timeout_ms(options), targets, &count, &reason);
    if (error == RELOAD_E_INVALID)
        return reload_enroll_say(out, RELOAD_ENROLL_USAGE, "%s",
                                 reason.text[0] ? reason.text : "this is not an overlay name");
    if (error)
        return reload_enroll_say(out, RELOAD_ENROLL_DNS,
                                 "%s; check the name, or give the configuration server's URL",
                                 reason.text[0] ? reason.text : reload_error_text(error));
    snprintf(url, sizeof url, "https://%s" RELOAD_ENROLL_PATH_CONFIG, options->source);
    enum reload_enroll_result result = RELOAD_ENROLL_DNS;
    for (size_t i = 0; i < count; i++) {
        reload_enroll_answer_fini(answer);
        result = get(options, url, &targets[i], answer, out);
        if (!try_next(result))
            break;
    }
    return result;
}

static enum reload_enroll_result read_file(const struct reload_enroll_client_options *options,
                                           struct reload_enroll_answer *answer,
                                           struct reload_enroll_outcome *out)
{
    struct reload_cert_reason reason = { "" };
    if (reload_cert_file_read(options->source, &answer->body, &reason))
        return reload_enroll_say(out, RELOAD_ENROLL_LOCAL, "%s", reason.text);
    return RELOAD_ENROLL_OK;
}

/* A path has a slash or the ending of a document's file; an overlay's name has neither. */
static bool is_file(const char *source)
{
    struct stat st;
    size_t n = strlen(source);
    return strchr(source, '/') || (n > 4 && strcmp(source + n - 4, ".xml") == 0) ||
           (n > 5 && strcmp(source + n - 5, ".relo") == 0) ||
           (stat(source, &st) == 0 && S_ISREG(st.st_mode));
}

enum reload_enroll_result reload_enroll_obtain(const struct reload_enroll_client_options *options,
                                               const char **overlay,
                                               struct reload_enroll_answer *answer,
                                               struct reload_enroll_outcome *out)
{
    const char *source = options->source;
    *answer = (struct reload_enroll_answer){ .date_s = -1, .retry_after_s = -1 };
    *overlay = options->overlay;
    if (!source || !*source)
        return reload_enroll_say(
            out, RELOAD_ENROLL_USAGE,
            "give the configuration server's https:// URL, the overlay's name, "
            "or an overlay document's file");
    if (strncasecmp(source, "https://", 8) == 0)
        return get(options, source, NULL, answer, out);
    if (strstr(source, "://"))
        return reload_enroll_say(out, RELOAD_ENROLL_USAGE,
                                 "%s does not begin with https://, and nothing else is safe enough",
                                 source);
    if (is_file(source))
        return read_file(options, answer, out);
    if (!*overlay)
        *overlay = source;
    return get_by_name(options, answer, out);
}

static enum reload_enroll_result result_of(int error)
{
    switch (error) {
    case RELOAD_E_EXPIRED: return RELOAD_ENROLL_DOCUMENT_EXPIRED;
    case RELOAD_E_SIGNATURE:
    case RELOAD_E_CERTIFICATE:
    case RELOAD_E_FORBIDDEN: return RELOAD_ENROLL_DOCUMENT_UNSIGNED;
    case RELOAD_E_TOO_OLD: return RELOAD_ENROLL_UNCHANGED;
    case RELOAD_E_NOMEM: return RELOAD_ENROLL_LOCAL;
    case RELOAD_E_UNSUPPORTED: return RELOAD_ENROLL_DOCUMENT_UNSUPPORTED;
    default: return RELOAD_ENROLL_DOCUMENT_INVALID;
    }
}

static const char *next_step(enum reload_enroll_result result)
{
    switch (result) {
    case RELOAD_ENROLL_DOCUMENT_EXPIRED:
        return "ask the overlay's operator for a new one, and check the clock of this machine";
    case RELOAD_ENROLL_DOCUMENT_UNSIGNED:
        return "ask the overlay's operator to sign it; --unsigned takes it all the same, at your "
               "risk";
    case RELOAD_ENROLL_DOCUMENT_INVALID:
        return "check that the source is the overlay's configuration, and tell its operator";
    case RELOAD_ENROLL_DOCUMENT_UNSUPPORTED: return "a newer version of this program may know it";
    case RELOAD_ENROLL_UNCHANGED: return "there is nothing to do";
    default: return "try again";
    }
}

static enum reload_enroll_result refuse(struct reload_enroll_outcome *out, int error,
                                        const struct reload_cert_reason *reason, int64_t date_s)
{
    enum reload_enroll_result result = result_of(error);
    reload_enroll_say(out, result, "the overlay document of %s is not taken: %s; %s", out->overlay,
                      reason->text[0] ? reason->text : reload_error_text(error), next_step(result));
    if (result == RELOAD_ENROLL_DOCUMENT_EXPIRED)
        reload_enroll_say_clock(out, date_s);
    return result;
}

struct reload_cert_document_policy
reload_enroll_policy(const struct reload_enroll_client_options *options)
{
    struct reload_cert_document_policy policy = { 0 };
    if (options->policy)
        policy = *options->policy;
    policy.allow_unsigned |= options->allow_unsigned;
    return policy;
}

enum reload_enroll_result reload_enroll_fetch(const struct reload_enroll_client_options *options,
                                              struct reload_config **config,
                                              struct reload_enroll_outcome *out)
{
    const char *overlay;
    struct reload_enroll_answer answer;
    struct reload_cert_reason reason = { "" };
    *config = NULL;
    *out = (struct reload_enroll_outcome){ .result = RELOAD_ENROLL_LOCAL };
    enum reload_enroll_result result = reload_enroll_obtain(options, &overlay, &answer, out);
    if (!result) {
        /* RFC 6940 s11.2: XML that is not valid, or of another instance-name, is discarded. */
        const struct reload_cert_document_policy policy = reload_enroll_policy(options);
        snprintf(out->overlay, sizeof out->overlay, "%s", overlay ? overlay : options->source);
        int error = reload_cert_document_load(reload_cert_bytes_slice(&answer.body), overlay,
                                              &policy, reload_enroll_unix_ms(), config, &reason);
        if (error) {
            result = refuse(out, error, &reason, answer.date_s);
        } else {
            snprintf(out->overlay, sizeof out->overlay, "%s", (*config)->instance_name);
            result = reload_enroll_say(out, RELOAD_ENROLL_OK,
                                       "the document of %s, sequence %u, is valid", out->overlay,
                                       (unsigned)(*config)->sequence);
        }
    }
    reload_enroll_answer_fini(&answer);
    return result;
}

static enum reload_enroll_result keep(const struct reload_enroll_client_options *options,
                                      const struct reload_config *config,
                                      struct reload_enroll_outcome *out)
{
    struct reload_cert_reason reason = { "" };
    if (!options->identity_dir)
        return RELOAD_ENROLL_OK;
    char *path = reload_cert_file_path(options->identity_dir, RELOAD_CERT_OVERLAY_XML);
    int error = path ? reload_cert_file_write(path, config->document, config->shared_secret != NULL,
                                              &reason)
                     : RELOAD_E_NOMEM;
    reload_free(path);
    return error ? reload_enroll_say(out, RELOAD_ENROLL_LOCAL, "the new document is not kept: %s",
                                     reason.text)
                 : RELOAD_ENROLL_OK;
}

enum reload_enroll_result reload_enroll_refetch(const struct reload_enroll_client_options *options,
                                                const struct reload_config *current,
                                                struct reload_config **config,
                                                struct reload_enroll_outcome *out)
{
    const char *overlay;
    struct reload_enroll_answer answer;
    struct reload_cert_reason reason = { "" };
    *config = NULL;
    *out = (struct reload_enroll_outcome){ .result = RELOAD_ENROLL_LOCAL };
    snprintf(out->overlay, sizeof out->overlay, "%s", current->instance_name);
    enum reload_enroll_result result = reload_enroll_obtain(options, &overlay, &answer, out);
    if (!result) {
        const struct reload_cert_document_policy policy = reload_enroll_policy(options);
        int error = reload_cert_document_update(reload_cert_bytes_slice(&answer.body), current,
                                                &policy, reload_enroll_unix_ms(), config, &reason);
        result = error ? refuse(out, error, &reason, answer.date_s) : keep(options, *config, out);
        if (!error && !result)
            reload_enroll_say(out, RELOAD_ENROLL_OK, "the document of %s is now sequence %u",
                              out->overlay, (unsigned)(*config)->sequence);
    }
    reload_enroll_answer_fini(&answer);
    return result;
}

/* The middle third of what is left: not at the last moment, and not all nodes at one time. */
uint64_t reload_enroll_refetch_at_ms(const struct reload_config *current, uint64_t now_ms,
                                     uint64_t random)
{
    if (current->expiration_ms == RELOAD_NEVER)
        return RELOAD_NEVER;
    if (current->expiration_ms <= now_ms + 3)
        return now_ms;
    uint64_t third = (current->expiration_ms - now_ms) / 3;
    return now_ms + third + random % third;
}
