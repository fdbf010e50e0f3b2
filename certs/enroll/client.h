#ifndef RELOAD_CERTS_ENROLL_CLIENT_H
#define RELOAD_CERTS_ENROLL_CLIENT_H

#include "certs/document.h"
#include "certs/key.h"
#include "reload/log.h"

/* The node's side of RFC 6940 s11.2 and s11.3: find the configuration server, fetch and verify the
 * overlay document, get a certificate, and leave an identity folder that `reload peer` runs from.
 * All functions block, at most timeout_ms for each exchange; safe from any thread. */

#define RELOAD_ENROLL_TIMEOUT_MS 30000u
#define RELOAD_ENROLL_DOCUMENT_MAX                                                                 \
    RELOAD_CERT_DOCUMENT_MAX /* bytes; a longer answer is refused                                  \
                              */

enum reload_enroll_result {
    RELOAD_ENROLL_OK,
    RELOAD_ENROLL_UNCHANGED, /* refetch only: the document in force is the newest */
    RELOAD_ENROLL_USAGE,     /* what was asked for makes no sense, or something is missing */
    RELOAD_ENROLL_LOCAL,     /* a file, memory, or the system here */
    RELOAD_ENROLL_DNS,       /* no SRV record, or no address for a name */
    RELOAD_ENROLL_CONNECT,   /* nobody listens there, or no way there */
    RELOAD_ENROLL_TIMEOUT,
    RELOAD_ENROLL_TLS_UNKNOWN_CA,
    RELOAD_ENROLL_TLS_NAME, /* the server's certificate is for another name */
    RELOAD_ENROLL_TLS_TIME, /* expired, or not valid yet */
    RELOAD_ENROLL_TLS,      /* anything else of TLS */
    RELOAD_ENROLL_HTTP,     /* not the answer a server of this kind gives */
    RELOAD_ENROLL_ANSWER_TOO_LARGE,
    RELOAD_ENROLL_DOCUMENT_INVALID,
    RELOAD_ENROLL_DOCUMENT_UNSUPPORTED, /* asks for what this program does not know */
    RELOAD_ENROLL_DOCUMENT_UNSIGNED,    /* or the signature does not hold */
    RELOAD_ENROLL_DOCUMENT_EXPIRED,
    RELOAD_ENROLL_REFUSED_AUTHENTICATION, /* the four tokens of s11.3 */
    RELOAD_ENROLL_REFUSED_USERNAME,
    RELOAD_ENROLL_REFUSED_NODE_IDS,
    RELOAD_ENROLL_REFUSED_CSR,
    RELOAD_ENROLL_REFUSED_FOR_NOW,  /* 429: too many attempts or certificates */
    RELOAD_ENROLL_REFUSED_UNKNOWN,  /* a token this code does not know (s11.3) */
    RELOAD_ENROLL_CERTIFICATE,      /* the server's certificate for us is not acceptable */
    RELOAD_ENROLL_CERTIFICATE_TIME, /* it is not valid at this moment */
};

struct reload_enroll_client_options { /* all borrowed for the call */
    const char *source; /* "https://..", an overlay name, or a file with an overlay document */
    const char
        *overlay; /* with a URL or a file: the overlay that is meant; NULL: the first one in it */
    const char *user;     /* account name; self-signed: the user name, NULL for none */
    const char *password; /* NULL: none */
    const char *ca_file;  /* PEM; the HTTPS server must chain to it and to nothing else; NULL: the
                             system's */
    const char *identity_dir; /* where to write; it and its overlay.xml, node.pem, node.key are
                                 replaced at once */
    bool key_given;           /* else EC, or RSA when the overlay's CA has an RSA key */
    enum reload_cert_key_type key;
    const char *device;  /* which of the account's devices this is (certs/enroll/form.h); NULL: do
                            not say */
    uint32_t node_ids;   /* 0: do not say */
    bool allow_unsigned; /* take a document without a valid signature */
    bool strict_name; /* the enrollment server's certificate must have the overlay's name (s11.3);
                         by default the host of the URL in the verified document will do too (s11.1)
                       */
    const char *dns_servers;                          /* "127.0.0.1:5353,.."; NULL: the system's */
    uint32_t timeout_ms;                              /* 0: RELOAD_ENROLL_TIMEOUT_MS */
    const struct reload_cert_document_policy *policy; /* NULL: the strict default */
    const struct reload_log *log;                     /* progress; may be NULL */
};

struct reload_enroll_outcome {
    enum reload_enroll_result result;
    char text[640]; /* what happened, why, and what to do next; never empty */
    char overlay[256];
    char user[RELOAD_CERT_USER_NAME_MAX + 1];
    struct reload_node_id node_ids[RELOAD_CERT_NODE_IDS_MAX];
    size_t node_id_count;
    uint64_t not_after_ms; /* of the certificate, Unix time */
    bool self_signed;
};

/* Fetches, verifies, enrolls (or makes a self-signed certificate, s11.3.1, when the document
 * permits that and names no enrollment server) and writes the identity folder. Returns out->result;
 * on any failure nothing is written. */
enum reload_enroll_result reload_enroll_run(const struct reload_enroll_client_options *options,
                                            struct reload_enroll_outcome *out);

/* Only fetches and verifies. OK: *config for reload_cert_document_free(). */
enum reload_enroll_result reload_enroll_fetch(const struct reload_enroll_client_options *options,
                                              struct reload_config **config,
                                              struct reload_enroll_outcome *out);

/* Fetches the successor of the document in force (s11.1, s11.2): it must be newer and signed by a
 * configuration-signer of `current`. OK: *config as above, and identity_dir's overlay.xml (when
 * identity_dir is set) is replaced. UNCHANGED: the server has nothing newer. */
enum reload_enroll_result reload_enroll_refetch(const struct reload_enroll_client_options *options,
                                                const struct reload_config *current,
                                                struct reload_config **config,
                                                struct reload_enroll_outcome *out);
/* When to do so: a random time in the middle third before the expiration (s11.1), at once when
 * that has passed; RELOAD_NEVER without an expiration. random: 64 random bits. Unix time. */
uint64_t reload_enroll_refetch_at_ms(const struct reload_config *current, uint64_t now_ms,
                                     uint64_t random);

/* The program's exit code: 0 ok, 1 failure, 2 usage, 4 refused, 5 expired. */
int reload_enroll_exit_code(enum reload_enroll_result result);
/* One word for JSON, such as "tls_name"; static. */
const char *reload_enroll_result_text(enum reload_enroll_result result);

#endif
