#ifndef RELOAD_CERTS_ENROLL_HTTPS_H
#define RELOAD_CERTS_ENROLL_HTTPS_H

#include "certs/enroll/client.h"
#include "certs/enroll/discovery.h"

/* One HTTPS exchange by libcurl, and what went wrong in a person's words. No redirects, no proxies,
 * TLS 1.2 or newer, and the server's name is always checked. Private to certs/enroll. */

struct reload_enroll_part { /* a field of a multipart/form-data body */
    const char *name;
    const char *type; /* NULL: none */
    struct reload_slice value;
};

struct reload_enroll_exchange {
    const char *url;
    const char
        *tls_name; /* the name the certificate must have, instead of the URL's host; NULL: that */
    const struct reload_enroll_target *target; /* connect here instead; NULL: the URL's host */
    const char *accept;
    const struct reload_enroll_part *parts; /* NULL: GET */
    size_t part_count;
    struct reload_slice ca_pem; /* trusted CAs; empty: the system's only */
    bool only_ca_pem;           /* and not the system's */
    uint32_t timeout_ms;
    size_t max_len; /* bytes of the answer's body */
};

struct reload_enroll_answer { /* call _fini() in every case */
    long status;
    char content_type[64];
    int64_t date_s;        /* the server's Date, Unix time; -1: none */
    int64_t retry_after_s; /* -1: none */
    struct reload_cert_bytes body;
};

/* OK (an answer came, whatever its status), or why none came with the sentence in text. */
enum reload_enroll_result reload_enroll_https(const struct reload_enroll_exchange *exchange,
                                              struct reload_enroll_answer *answer, char *text,
                                              size_t text_cap);
void reload_enroll_answer_fini(struct reload_enroll_answer *answer);

#endif
