/* RFC 6940 s11.3: the certificate request protocol, as the node speaks it. */
#include "certs/ca.h"
#include "certs/csr.h"
#include "certs/enroll/client_parts.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define ANSWER_MAX RELOAD_CERT_DER_MAX

/* What each refusal means and what a person does about it. */
static const struct {
    const char *token;
    enum reload_enroll_result result;
    const char *advice;
} tokens[] = {
    { "failed_authentication", RELOAD_ENROLL_REFUSED_AUTHENTICATION,
      "user name or password is wrong: check both, or ask the overlay's operator for an account" },
    { "username_not_available", RELOAD_ENROLL_REFUSED_USERNAME,
      "this account may not use that user name: use the account's own name" },
    { "Node-IDs_not_available", RELOAD_ENROLL_REFUSED_NODE_IDS,
      "the account may not have so many Node-IDs: ask for fewer, or the operator for a higher "
      "cap" },
    { "bad_CSR", RELOAD_ENROLL_REFUSED_CSR,
      "the server did not like the certificate request: try another kind of key (--key)" },
    { "too_many_attempts", RELOAD_ENROLL_REFUSED_FOR_NOW,
      "there were too many wrong passwords: wait, then try again with the right one" },
    { "too_many_certificates", RELOAD_ENROLL_REFUSED_FOR_NOW,
      "the account has too many certificates that are still valid: use one of these" },
};

static enum reload_enroll_result refused(const struct reload_enroll_answer *answer,
                                         const char *server, struct reload_enroll_outcome *out)
{
    char token[40] = "";
    size_t n = answer->body.n < sizeof token ? answer->body.n : sizeof token - 1;
    if (n)
        memcpy(token, answer->body.p, n);
    token[strcspn(token, "\r\n")] = '\0';
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        if (strcmp(token, tokens[i].token) != 0)
            continue;
        char wait[40] = "";
        if (answer->retry_after_s > 0)
            snprintf(wait, sizeof wait, " (%lld s)", (long long)answer->retry_after_s);
        return reload_enroll_say(out, tokens[i].result, "the server %s refuses with %s: %s%s",
                                 server, token, tokens[i].advice, wait);
    }
    for (char *p = token; *p; p++)
        if (*p < 0x20 || *p > 0x7e)
            *p = '?';
    /* s11.3: an unknown token is a failure for an unknown reason */
    if (answer->status == 403)
        return reload_enroll_say(out, RELOAD_ENROLL_REFUSED_UNKNOWN,
                                 "the server %s refuses for a reason this program does not know "
                                 "(\"%s\"): ask its operator",
                                 server, token);
    return reload_enroll_say(out, RELOAD_ENROLL_HTTP,
                             "%s answers with HTTP status %ld (\"%s\"), which an enrollment server "
                             "does not: ask the overlay's operator",
                             server, answer->status, token);
}

/* The CAs that may vouch for the enrollment server: --ca, else the system's; and the overlay's own,
 * because the document that names the server and them was verified. */
static enum reload_enroll_result trusted(const struct reload_enroll_client_options *options,
                                         const struct reload_config *config,
                                         struct reload_cert_bytes *pem,
                                         struct reload_enroll_outcome *out)
{
    struct reload_cert_bytes given, roots = { 0 };
    enum reload_enroll_result result = reload_enroll_ca(options, &given, out);
    *pem = (struct reload_cert_bytes){ 0 };
    if (result)
        return result;
    if (config->root_cert_count &&
        reload_cert_pem(config->root_certs, config->root_cert_count, &roots)) {
        reload_cert_bytes_fini(&given);
        return reload_enroll_say(out, RELOAD_ENROLL_LOCAL,
                                 "a root-cert of the document cannot be used");
    }
    pem->p = reload_alloc(given.n + roots.n + 2);
    if (pem->p) {
        if (given.n)
            memcpy(pem->p, given.p, given.n);
        pem->p[given.n] = '\n';
        if (roots.n)
            memcpy(pem->p + given.n + 1, roots.p, roots.n);
        pem->n = given.n + 1 + roots.n;
    }
    reload_cert_bytes_fini(&given);
    reload_cert_bytes_fini(&roots);
    return pem->p ? RELOAD_ENROLL_OK : reload_enroll_say(out, RELOAD_ENROLL_LOCAL, "out of memory");
}

/* s11.3 wants the overlay's name in the server's certificate, s11.1 sees no relation of the two:
 * the overlay's name first, then, unless strict, the host of the URL that the verified document
 * gives. No password has left this machine when the name does not fit. */
static enum reload_enroll_result exchange_by_name(struct reload_enroll_exchange *exchange,
                                                  const struct reload_config *config, bool strict,
                                                  struct reload_enroll_answer *answer,
                                                  struct reload_enroll_outcome *out)
{
    exchange->tls_name = config->instance_name;
    out->result = reload_enroll_https(exchange, answer, out->text, sizeof out->text);
    bool other_name = out->result == RELOAD_ENROLL_TLS_NAME || out->result == RELOAD_ENROLL_TLS ||
                      out->result == RELOAD_ENROLL_USAGE;
    if (strict || !other_name)
        return out->result;
    reload_enroll_answer_fini(answer);
    exchange->tls_name = NULL;
    out->result = reload_enroll_https(exchange, answer, out->text, sizeof out->text);
    return out->result;
}

static enum reload_enroll_result post(const struct reload_enroll_client_options *options,
                                      const struct reload_config *config, const char *server,
                                      struct reload_slice csr, struct reload_slice ca_pem,
                                      struct reload_enroll_answer *answer,
                                      struct reload_enroll_outcome *out)
{
    char count[12];
    snprintf(count, sizeof count, "%u", options->node_ids);
    struct reload_enroll_part parts[5] = {
        { "username", NULL, { (const uint8_t *)options->user, strlen(options->user) } },
        { "password", NULL, { (const uint8_t *)options->password, strlen(options->password) } },
        { "csr", "application/pkcs10", csr },
    };
    size_t part_count = 3;
    if (options->node_ids)
        parts[part_count++] = (struct reload_enroll_part){
            "nodeids", NULL, { (const uint8_t *)count, strlen(count) }
        };
    if (options->device)
        parts[part_count++] = (struct reload_enroll_part){
            "device", NULL, { (const uint8_t *)options->device, strlen(options->device) }
        };
    struct reload_enroll_exchange exchange = {
        .url = server,
        .accept = "application/pkix-cert",
        .parts = parts,
        .part_count = part_count,
        .ca_pem = ca_pem,
        .only_ca_pem = options->ca_file != NULL,
        .timeout_ms = reload_enroll_timeout_ms(options),
        .max_len = ANSWER_MAX,
    };
    reload_log_write(options->log, RELOAD_LOG_INFO, "enroll", "asking %s for a certificate",
                     server);
    if (exchange_by_name(&exchange, config, options->strict_name, answer, out))
        return out->result;
    if (answer->status != 200)
        return refused(answer, server, out);
    if (strcasecmp(answer->content_type, "application/pkix-cert") != 0)
        return reload_enroll_say(out, RELOAD_ENROLL_HTTP,
                                 "%s answers with \"%.40s\" instead of a certificate: ask the "
                                 "overlay's operator",
                                 server, answer->content_type);
    return RELOAD_ENROLL_OK;
}

static enum reload_enroll_result ask_each(const struct reload_enroll_client_options *options,
                                          const struct reload_config *config,
                                          struct reload_slice csr, struct reload_slice ca_pem,
                                          struct reload_cert_bytes *der, int64_t *date_s,
                                          struct reload_enroll_outcome *out)
{
    enum reload_enroll_result result = RELOAD_ENROLL_LOCAL;
    for (size_t i = 0; i < config->enrollment_server_count; i++) {
        struct reload_enroll_answer answer = { 0 };
        result = post(options, config, config->enrollment_servers[i], csr, ca_pem, &answer, out);
        if (!result) {
            *der = answer.body;
            *date_s = answer.date_s;
            return result;
        }
        reload_enroll_answer_fini(&answer);
        /* Another server of the list is worth a try when this one cannot be talked to. */
        if (result != RELOAD_ENROLL_CONNECT && result != RELOAD_ENROLL_TIMEOUT &&
            result != RELOAD_ENROLL_DNS)
            return result;
    }
    return result;
}

enum reload_enroll_result
reload_enroll_request_certificate(const struct reload_enroll_client_options *options,
                                  const struct reload_config *config,
                                  const struct reload_cert_key *key, struct reload_cert_bytes *der,
                                  int64_t *date_s, struct reload_enroll_outcome *out)
{
    struct reload_cert_bytes csr = { 0 }, ca_pem;
    struct reload_cert_reason reason = { "" };
    *der = (struct reload_cert_bytes){ 0 };
    if (!options->user || !options->password)
        return reload_enroll_say(out, RELOAD_ENROLL_USAGE,
                                 "%s gives certificates to its accounts only: say --user and its "
                                 "password",
                                 out->overlay);
    struct reload_slice name = { (const uint8_t *)options->user, strlen(options->user) };
    if (reload_cert_csr_create(key, name, &csr, &reason))
        return reload_enroll_say(out, RELOAD_ENROLL_USAGE, "no certificate can be asked for: %s",
                                 reason.text);
    enum reload_enroll_result result = trusted(options, config, &ca_pem, out);
    if (!result)
        result = ask_each(options, config, reload_cert_bytes_slice(&csr),
                          reload_cert_bytes_slice(&ca_pem), der, date_s, out);
    reload_cert_bytes_fini(&csr);
    reload_cert_bytes_fini(&ca_pem);
    return result;
}
