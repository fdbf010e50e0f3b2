#ifndef TESTS_CERTS_FIXTURE_H
#define TESTS_CERTS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants the four above first */
#include <cmocka.h>

#include "certs/ca.h"
#include "certs/document.h"
#include "certs/identity.h"
#include "certs/trust.h"

/* An overlay for tests: a CA, a configuration that trusts it, and nodes with certificates. Every
 * function fails the test that calls it when something goes wrong. */

#define OVERLAY      "overlay.example.org"
#define NOW_MS       1800000000000ull /* 15 January 2027 */
#define DAY_MS       86400000ull
#define COUNT(array) (sizeof(array) / sizeof *(array))

struct fixture {
    struct reload_cert_ca *ca;
    struct reload_slice root; /* the CA's DER */
    struct reload_config config;
};

void fixture_init(struct fixture *f, enum reload_cert_key_type type);
void fixture_fini(struct fixture *f);

struct reload_slice text(const char *s);
struct reload_node_id node_id(uint8_t fill); /* 16 bytes of `fill` */

/* What a test wants to be different; {0} and `overlay` NULL give a good certificate for one year.
 */
struct wish {
    const char *overlay;
    const char *user_name;
    size_t node_ids; /* how many, filled with `fill`, fill + 1 and so on; 0: one */
    uint64_t not_before_ms, not_after_ms;
};
struct reload_cert_bytes issue(const struct fixture *f, const struct reload_cert_key *key,
                               uint8_t fill, struct wish wish);
struct reload_cert_key *new_key(enum reload_cert_key_type type);
/* A node of the overlay: its key and certificate in one. */
struct reload_cert_identity *new_identity(const struct fixture *f, enum reload_cert_key_type type,
                                          uint8_t fill, struct wish wish);

/* The SecurityBlock bucket of some DERs; free with reload_cert_bytes_fini(). */
struct reload_cert_bytes bucket(const struct reload_slice *ders, size_t count);
/* hash_alg and hash, as inside a SignerIdentity of cert_hash (id NULL) or cert_hash_node_id. */
struct reload_cert_bytes identity_value(uint8_t hash_algorithm, const struct reload_node_id *id,
                                        struct reload_slice der);

/* A new folder for the test's files; remove_folder() removes it with all in it. */
char *new_folder(void);
void remove_folder(char *folder);
/* Runs a program with these arguments (NULL-terminated), its output discarded; fails the test
 * unless it exits with 0. */
void run(const char *const *arguments);
/* The content of a file under tests/data, or anywhere when the name begins with a slash. */
struct reload_cert_bytes slurp(const char *name);
void spit(const char *folder, const char *name, const char *content);

#endif
