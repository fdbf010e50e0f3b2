#ifndef RELOAD_CERTS_ENROLL_DATABASE_H
#define RELOAD_CERTS_ENROLL_DATABASE_H

#include "certs/enroll/limiter.h"
#include "certs/enroll/password.h"
#include "certs/enroll/username.h"
#include "certs/reason.h"
#include "reload/wire/id.h"

#include <stdbool.h>

/* What the enrollment server must never forget (RFC 6940 s11.3, s13.3): accounts, which account
 * owns which Node-ID, and every certificate. SQLite in WAL mode with synchronous=FULL: when a
 * function that changes something returns 0, the change is on disk.
 *
 * An account is never deleted and a Node-ID never changes hands; triggers in the file itself refuse
 * both. One handle is used from one thread at a time; several processes may open the same file.
 *
 * Errors of every function: RELOAD_E_IO (the reason, where there is one, says what SQLite said) and
 * RELOAD_E_NOMEM; others are named. */

#define RELOAD_ENROLL_NODE_IDS_MAX     16  /* of one account, whatever its own cap */
#define RELOAD_ENROLL_NODE_IDS_DEFAULT 2   /* an account's cap unless the operator sets another */
#define RELOAD_ENROLL_CERTIFICATES_MAX 100 /* unexpired ones of one account */
#define RELOAD_ENROLL_ADDRESSES_MAX    16  /* remembered addresses of one account */
#define RELOAD_ENROLL_SERIAL_LEN       16
#define RELOAD_ENROLL_KEY_HASH_LEN     32

struct reload_enroll_database;

/* Opens the file, making it (mode 0600) if `create` is set. Runs the migrations that are missing.
 * RELOAD_E_NOT_FOUND; RELOAD_E_DECODE: damaged, or no database of ours; RELOAD_E_UNSUPPORTED:
 * written by a newer version. */
RELOAD_MUST_USE int reload_enroll_database_open(const char *path, bool create,
                                                struct reload_enroll_database **out,
                                                struct reload_cert_reason *reason);
void reload_enroll_database_close(struct reload_enroll_database *db); /* NULL is fine */
/* What SQLite said last; lives until the next call. */
const char *reload_enroll_database_text(const struct reload_enroll_database *db);

struct reload_enroll_user {
    int64_t id;
    char name[RELOAD_ENROLL_USERNAME_MAX + 1];
    char hash[RELOAD_ENROLL_HASH_MAX]; /* empty when removed */
    uint32_t max_node_ids;
    uint32_t node_id_count;     /* owned */
    uint32_t certificate_count; /* issued, expired ones too */
    uint64_t created_ms;        /* Unix time */
    bool removed;
};

/* A new account. A removed one of this name comes back to life, with its Node-IDs: one name is one
 * account for ever (s13.3). RELOAD_E_STATE: exists; RELOAD_E_FORBIDDEN: an account exists whose
 * name differs only in case. */
RELOAD_MUST_USE int reload_enroll_database_add(struct reload_enroll_database *db, const char *name,
                                               const char *hash, uint32_t max_node_ids,
                                               uint64_t now_ms);
/* Finds an account by its exact bytes; a removed one too. RELOAD_E_NOT_FOUND. */
RELOAD_MUST_USE int reload_enroll_database_find(struct reload_enroll_database *db,
                                                struct reload_slice name,
                                                struct reload_enroll_user *out);
/* Calls `each` for every account in name order until it returns non-zero, which is then returned.
 */
RELOAD_MUST_USE int reload_enroll_database_each(struct reload_enroll_database *db,
                                                int (*each)(void *context,
                                                            const struct reload_enroll_user *user),
                                                void *context);
/* RELOAD_E_NOT_FOUND: no such account, or removed. */
RELOAD_MUST_USE int reload_enroll_database_passwd(struct reload_enroll_database *db,
                                                  const char *name, const char *hash,
                                                  uint64_t now_ms);
/* Closes an account: it can no longer enroll; its Node-IDs stay reserved. RELOAD_E_NOT_FOUND. */
RELOAD_MUST_USE int reload_enroll_database_remove(struct reload_enroll_database *db,
                                                  const char *name, uint64_t now_ms);

/* Whether the account was used from this address before; also updates nothing. */
bool reload_enroll_database_knows(struct reload_enroll_database *db, int64_t user,
                                  const struct reload_enroll_address *address);
/* Remembers the address; the oldest of RELOAD_ENROLL_ADDRESSES_MAX gives way. */
RELOAD_MUST_USE int reload_enroll_database_remember(struct reload_enroll_database *db, int64_t user,
                                                    const struct reload_enroll_address *address,
                                                    uint64_t now_ms);

struct reload_enroll_wish {
    const struct reload_enroll_user *user;
    uint8_t key_hash[RELOAD_ENROLL_KEY_HASH_LEN]; /* SHA-256 of the SubjectPublicKeyInfo */
    const char *device;   /* which of the account's devices; "" when it does not say */
    uint32_t node_ids;    /* wanted; 0: what the device has already, at least one */
    size_t node_id_len;   /* bytes, of this overlay */
    uint64_t now_ms;      /* Unix time */
    uint64_t lifetime_ms; /* of the certificate */
};

struct reload_enroll_reservation {            /* what is on disk before anything is signed */
    uint8_t serial[RELOAD_ENROLL_SERIAL_LEN]; /* 127-bit random number, top bit clear */
    struct reload_node_id node_ids[RELOAD_ENROLL_NODE_IDS_MAX];
    size_t node_id_count;
    uint64_t not_before_ms, not_after_ms;
    bool resumed; /* left pending by an interrupted run, taken up again */
};

/* Reserves a serial and Node-IDs for an account durably. A device that returns gets the Node-IDs
 * it had, in the same order, and new random ones only above those; no two devices share one. A
 * pending row of the same key and Node-IDs is resumed with its serial and validity, so that serial
 * and contents stay together; one that cannot be resumed is void and its serial burnt.
 * RELOAD_E_LIMIT: more Node-IDs than the account may have. RELOAD_E_STATE: too many unexpired
 * certificates. RELOAD_E_NOT_FOUND: the account has been removed meanwhile. */
RELOAD_MUST_USE int reload_enroll_database_reserve(struct reload_enroll_database *db,
                                                   const struct reload_enroll_wish *wish,
                                                   struct reload_enroll_reservation *out);
/* Stores the signed certificate durably: pending becomes issued. Only then may it be shown to
 * anybody. RELOAD_E_STATE: the reservation is no longer pending. */
RELOAD_MUST_USE int reload_enroll_database_issue(struct reload_enroll_database *db,
                                                 const struct reload_enroll_reservation *r,
                                                 struct reload_slice der, uint64_t now_ms);

struct reload_enroll_census {
    uint64_t users, removed, node_ids, issued, pending, void_rows;
};
RELOAD_MUST_USE int reload_enroll_database_census(struct reload_enroll_database *db,
                                                  struct reload_enroll_census *out);

/* Calls `each` for every certificate in the order of reservation; der is empty unless issued.
 * A non-zero answer of `each` ends the walk and is returned. */
RELOAD_MUST_USE int reload_enroll_database_certificates(struct reload_enroll_database *db,
                                                        int (*each)(void *context, const char *user,
                                                                    const char *state,
                                                                    struct reload_slice serial,
                                                                    struct reload_slice der),
                                                        void *context);

/* Walks the hash chain of the audit log. RELOAD_E_DECODE: a line was altered or is missing. */
RELOAD_MUST_USE int reload_enroll_database_audit_check(struct reload_enroll_database *db);

/* A test program may define this function to be told each step towards durability ("reserve",
 * "reserved", "signed", "issued", "answer") and to die there. The program does not define it. */
void reload_enroll_durable_step(const char *step) __attribute__((weak));

#endif
