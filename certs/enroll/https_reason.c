#include "certs/enroll/https_internal.h"

#include <openssl/x509_vfy.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum reload_enroll_result reload_enroll_transfer_ended(struct transfer *t,
                                                       enum reload_enroll_result result,
                                                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(t->text, t->text_cap, format, args);
    va_end(args);
    return result;
}

static enum reload_enroll_result explain_certificate(struct transfer *t, const char *at)
{
    long verify = 0;
    curl_easy_getinfo(t->curl, CURLINFO_SSL_VERIFYRESULT, &verify);
    switch (verify) {
    case X509_V_OK:
    case X509_V_ERR_UNSPECIFIED: /* what libcurl leaves when its own check of the name failed */
        return reload_enroll_transfer_ended(
            t, RELOAD_ENROLL_TLS_NAME,
            "the certificate of the server at %s is not for %s, so it may be another's: "
            "check the name, or ask the operator for a certificate with that name",
            at, t->exchange->tls_name ? t->exchange->tls_name : t->host);
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return reload_enroll_transfer_ended(
            t, RELOAD_ENROLL_TLS_TIME,
            "the certificate of the server at %s %s: check the clock of this machine; if "
            "it is right, the operator must renew the certificate",
            at, verify == X509_V_ERR_CERT_HAS_EXPIRED ? "has expired" : "is not valid yet");
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return reload_enroll_transfer_ended(
            t, RELOAD_ENROLL_TLS_UNKNOWN_CA,
            "the certificate of the server at %s is by a CA that %s: get the overlay's "
            "ca.pem from its operator in a safe way and give it with --ca",
            at,
            t->exchange->only_ca_pem ? "is not the one given with --ca"
                                     : "this machine does not know");
    default:
        return reload_enroll_transfer_ended(
            t, RELOAD_ENROLL_TLS,
            "the certificate of the server at %s is not acceptable: %s; tell its operator", at,
            X509_verify_cert_error_string(verify));
    }
}

/* TLS, from the certificates to trust to the handshake. */
static enum reload_enroll_result explain_tls(struct transfer *t, CURLcode code, const char *at)
{
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return explain_certificate(t, at);
    if (code == CURLE_SSL_CACERT_BADFILE && !t->exchange->ca_pem.n)
        /* a machine without any trusts nobody */
        return reload_enroll_transfer_ended(
            t, RELOAD_ENROLL_TLS_UNKNOWN_CA,
            "this machine has no CA certificates to check %s with: give the overlay's CA "
            "certificate with --ca FILE, or install them",
            at);
    if (code == CURLE_SSL_CACERT_BADFILE)
        return reload_enroll_transfer_ended(
            t, RELOAD_ENROLL_LOCAL, "the CA certificates cannot be used: %s; the file must be PEM",
            t->curl_text);
    return reload_enroll_transfer_ended(
        t, RELOAD_ENROLL_TLS,
        "no TLS connection with %s: %s; see that the port is that of an HTTPS server", at,
        t->curl_text);
}

static enum reload_enroll_result explain(struct transfer *t, CURLcode code, const char *at)
{
    long os_error = 0;
    curl_easy_getinfo(t->curl, CURLINFO_OS_ERRNO, &os_error);
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
        return reload_enroll_transfer_ended(
            t, RELOAD_ENROLL_DNS,
            "the name %s has no address: check its spelling and this machine's network", t->host);
    case CURLE_COULDNT_CONNECT:
        return reload_enroll_transfer_ended(
            t, RELOAD_ENROLL_CONNECT,
            "no connection to %s: %s; see that the server runs there and that no firewall "
            "is between",
            at, os_error ? strerror((int)os_error) : t->curl_text);
    case CURLE_OPERATION_TIMEDOUT:
        return reload_enroll_transfer_ended(
            t, RELOAD_ENROLL_TIMEOUT,
            "the server at %s did not answer within %u s: try again later", at,
            (unsigned)(t->exchange->timeout_ms + 999) / 1000);
    case CURLE_OUT_OF_MEMORY:
        return reload_enroll_transfer_ended(t, RELOAD_ENROLL_LOCAL, "out of memory");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER: return explain_tls(t, code, at);
    default:
        return reload_enroll_transfer_ended(
            t, RELOAD_ENROLL_HTTP,
            "the exchange with %s failed: %s; try again, and if it stays so tell its "
            "operator",
            at, t->curl_text[0] ? t->curl_text : curl_easy_strerror(code));
    }
}

enum reload_enroll_result reload_enroll_transfer_failed(struct transfer *t, CURLcode code)
{
    char at[600];
    const struct reload_enroll_target *target = t->exchange->target;
    if (target)
        snprintf(at, sizeof at, "%s port %u", target->host, (unsigned)target->port);
    else
        snprintf(at, sizeof at, "%s port %s", t->host, t->port);
    if (t->too_large)
        return reload_enroll_transfer_ended(
            t, RELOAD_ENROLL_ANSWER_TOO_LARGE,
            "the server at %s sends more than %zu bytes: this is not what was asked for; "
            "check the address",
            at, t->exchange->max_len);
    return explain(t, code, at);
}
