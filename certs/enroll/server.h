#ifndef RELOAD_CERTS_ENROLL_SERVER_H
#define RELOAD_CERTS_ENROLL_SERVER_H

#include "certs/document.h"
#include "certs/enroll/connections.h"
#include "certs/enroll/issuer.h"

/* The configuration and enrollment server (RFC 6940 s11.2, s11.3): HTTPS only.
 *
 *   GET  /.well-known/reload-config   the overlay document
 *   POST /enroll (or the same path)   the certificate request protocol of s11.3
 *
 * Threads: one of libmicrohttpd for all sockets, `workers` for passwords and signatures, one that
 * keeps the deadlines. start(), counters(), port() and stop() may be called from any thread, stop()
 * once. A second server on one folder is refused. */

#define RELOAD_ENROLL_PATH_CONFIG "/.well-known/reload-config"
#define RELOAD_ENROLL_PATH_ENROLL "/enroll"
#define RELOAD_ENROLL_BODY_MAX    32768u /* bytes of a POST */
#define RELOAD_ENROLL_DISCARD_MAX                                                                  \
    1048576u /* bytes of a refused one that are read before the answer */

struct reload_enroll_server_options {
    const char *directory; /* the overlay's: overlay.xml, ca.*, https.*, enroll.db; copied */
    const char *listen;    /* "ADDR:PORT", "[V6]:PORT"; port 0: the system chooses */
    int listen_fd;         /* a bound socket to use instead, then owned by the server; -1: none */
    uint32_t certificate_lifetime_s; /* s13.3 */
    unsigned password_cost;          /* of the accounts, see issuer.h */
    uint32_t workers;
    struct reload_enroll_limits guesses;
    struct reload_enroll_connection_limits connections;
    const struct reload_cert_document_policy *policy; /* NULL: the strict default; borrowed */
    const struct reload_log *log;                     /* may be NULL; borrowed */
};

/* Everything but the directory and where to listen. */
struct reload_enroll_server_options reload_enroll_server_options_default(void);

struct reload_enroll_server;

/* Checks the whole folder, and listens. Errors of certs/file.h, certs/document.h, certs/ca.h and
 * database.h; RELOAD_E_STATE: another server has the folder; RELOAD_E_INVALID: listen; RELOAD_E_IO:
 * the socket or the TLS files are refused. The reason always says which. */
RELOAD_MUST_USE int reload_enroll_server_start(const struct reload_enroll_server_options *options,
                                               struct reload_enroll_server **out,
                                               struct reload_cert_reason *reason);
uint16_t reload_enroll_server_port(const struct reload_enroll_server *server);
void reload_enroll_server_counters(struct reload_enroll_server *server,
                                   struct reload_enroll_counters *out);
uint32_t reload_enroll_server_connections(struct reload_enroll_server *server);
/* Accepts nothing more, lets what is being decided finish (those in the queue get 503) and frees
 * all. Takes a second at most, plus a password check. NULL is fine. */
void reload_enroll_server_stop(struct reload_enroll_server *server);

#endif
