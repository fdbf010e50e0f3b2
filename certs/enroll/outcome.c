#include "certs/enroll/client_parts.h"
#include "certs/enroll/events.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SKEW_S 120 /* a difference of clocks worth telling */

enum reload_enroll_result reload_enroll_say(struct reload_enroll_outcome *out,
                                            enum reload_enroll_result result, const char *format,
                                            ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(out->text, sizeof out->text, format, args);
    va_end(args);
    out->result = result;
    return result;
}

void reload_enroll_say_clock(struct reload_enroll_outcome *out, int64_t date_s)
{
    int64_t here_s = (int64_t)(reload_enroll_unix_ms() / 1000);
    int64_t ahead_s = here_s - date_s;
    if (date_s < 0 || (ahead_s < SKEW_S && ahead_s > -SKEW_S))
        return;
    size_t n = strlen(out->text);
    int64_t minutes = (ahead_s < 0 ? -ahead_s : ahead_s) / 60;
    snprintf(out->text + n, sizeof out->text - n,
             "; the clock of this machine is %lld minutes %s the server's: set it right",
             (long long)minutes, ahead_s > 0 ? "ahead of" : "behind");
}

int reload_enroll_exit_code(enum reload_enroll_result result)
{
    switch (result) {
    case RELOAD_ENROLL_OK:
    case RELOAD_ENROLL_UNCHANGED: return 0;
    case RELOAD_ENROLL_USAGE: return 2;
    /* refused, by the server or by us because what it showed cannot be trusted */
    case RELOAD_ENROLL_TLS_UNKNOWN_CA:
    case RELOAD_ENROLL_TLS_NAME:
    case RELOAD_ENROLL_DOCUMENT_UNSIGNED:
    case RELOAD_ENROLL_REFUSED_AUTHENTICATION:
    case RELOAD_ENROLL_REFUSED_USERNAME:
    case RELOAD_ENROLL_REFUSED_NODE_IDS:
    case RELOAD_ENROLL_REFUSED_CSR:
    case RELOAD_ENROLL_REFUSED_FOR_NOW:
    case RELOAD_ENROLL_REFUSED_UNKNOWN:
    case RELOAD_ENROLL_CERTIFICATE: return 4;
    case RELOAD_ENROLL_TLS_TIME:
    case RELOAD_ENROLL_DOCUMENT_EXPIRED:
    case RELOAD_ENROLL_CERTIFICATE_TIME: return 5;
    case RELOAD_ENROLL_LOCAL:
    case RELOAD_ENROLL_DNS:
    case RELOAD_ENROLL_CONNECT:
    case RELOAD_ENROLL_TIMEOUT:
    case RELOAD_ENROLL_TLS:
    case RELOAD_ENROLL_HTTP:
    case RELOAD_ENROLL_ANSWER_TOO_LARGE:
    case RELOAD_ENROLL_DOCUMENT_INVALID:
    case RELOAD_ENROLL_DOCUMENT_UNSUPPORTED: return 1;
    }
    return 1;
}

const char *reload_enroll_result_text(enum reload_enroll_result result)
{
    switch (result) {
    case RELOAD_ENROLL_OK: return "ok";
    case RELOAD_ENROLL_UNCHANGED: return "unchanged";
    case RELOAD_ENROLL_USAGE: return "usage";
    case RELOAD_ENROLL_LOCAL: return "local";
    case RELOAD_ENROLL_DNS: return "dns";
    case RELOAD_ENROLL_CONNECT: return "connect";
    case RELOAD_ENROLL_TIMEOUT: return "timeout";
    case RELOAD_ENROLL_TLS_UNKNOWN_CA: return "tls_unknown_ca";
    case RELOAD_ENROLL_TLS_NAME: return "tls_name";
    case RELOAD_ENROLL_TLS_TIME: return "tls_time";
    case RELOAD_ENROLL_TLS: return "tls";
    case RELOAD_ENROLL_HTTP: return "http";
    case RELOAD_ENROLL_ANSWER_TOO_LARGE: return "answer_too_large";
    case RELOAD_ENROLL_DOCUMENT_INVALID: return "document_invalid";
    case RELOAD_ENROLL_DOCUMENT_UNSUPPORTED: return "document_unsupported";
    case RELOAD_ENROLL_DOCUMENT_UNSIGNED: return "document_unsigned";
    case RELOAD_ENROLL_DOCUMENT_EXPIRED: return "document_expired";
    case RELOAD_ENROLL_REFUSED_AUTHENTICATION: return "failed_authentication";
    case RELOAD_ENROLL_REFUSED_USERNAME: return "username_not_available";
    case RELOAD_ENROLL_REFUSED_NODE_IDS: return "Node-IDs_not_available";
    case RELOAD_ENROLL_REFUSED_CSR: return "bad_CSR";
    case RELOAD_ENROLL_REFUSED_FOR_NOW: return "refused_for_now";
    case RELOAD_ENROLL_REFUSED_UNKNOWN: return "refused";
    case RELOAD_ENROLL_CERTIFICATE: return "certificate";
    case RELOAD_ENROLL_CERTIFICATE_TIME: return "certificate_time";
    }
    return "unknown";
}

uint32_t reload_enroll_timeout_ms(const struct reload_enroll_client_options *options)
{
    return options->timeout_ms ? options->timeout_ms : RELOAD_ENROLL_TIMEOUT_MS;
}
