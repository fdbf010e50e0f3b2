#include "certs/enroll/users.h"

#include <errno.h>
#include <string.h>

static struct reload_slice slice(const char *text)
{
    return (struct reload_slice){ (const uint8_t *)text, strlen(text) };
}

/* The sentence for an error of the database that the callers treat alike. */
static int explain(struct reload_enroll_database *db, int error, const char *name,
                   struct reload_cert_reason *reason)
{
    switch (error) {
    case 0: return 0;
    case RELOAD_E_NOT_FOUND:
        return reload_cert_refuse(reason, error,
                                  "there is no account %s; `reload user list` shows "
                                  "all",
                                  name);
    case RELOAD_E_STATE:
        return reload_cert_refuse(reason, error,
                                  "the account %s exists already; `reload user "
                                  "passwd` changes its password",
                                  name);
    case RELOAD_E_FORBIDDEN:
        return reload_cert_refuse(reason, error,
                                  "the name %s differs from another account's only "
                                  "in upper and lower case; choose another",
                                  name);
    default:
        return reload_cert_refuse(reason, error, "the enrollment database refused: %s",
                                  reload_enroll_database_text(db));
    }
}

static int hash_of(const char *password, unsigned cost, char hash[RELOAD_ENROLL_HASH_MAX],
                   struct reload_cert_reason *reason)
{
    const char *problem = reload_enroll_password_problem(slice(password));
    if (problem)
        return reload_cert_refuse(reason, RELOAD_E_INVALID, "%s", problem);
    int error = reload_enroll_password_hash(slice(password),
                                            cost ? cost : RELOAD_ENROLL_COST_DEFAULT, hash);
    if (error)
        return reload_cert_refuse(reason, error, "the password cannot be hashed: %s",
                                  reload_error_text(error));
    return 0;
}

int reload_enroll_user_add(struct reload_enroll_database *db, const char *name,
                           const char *password, uint32_t max_node_ids, unsigned cost,
                           uint64_t now_ms, struct reload_cert_reason *reason)
{
    char hash[RELOAD_ENROLL_HASH_MAX];
    const char *problem = reload_enroll_username_problem(slice(name));
    if (problem)
        return reload_cert_refuse(reason, RELOAD_E_INVALID, "%s cannot be a user name: %s", name,
                                  problem);
    if (max_node_ids > RELOAD_ENROLL_NODE_IDS_MAX)
        return reload_cert_refuse(reason, RELOAD_E_INVALID,
                                  "an account can have at most %d "
                                  "Node-IDs",
                                  RELOAD_ENROLL_NODE_IDS_MAX);
    int error = hash_of(password, cost, hash, reason);
    if (error)
        return error;
    error = reload_enroll_database_add(
        db, name, hash, max_node_ids ? max_node_ids : RELOAD_ENROLL_NODE_IDS_DEFAULT, now_ms);
    return explain(db, error, name, reason);
}

int reload_enroll_user_passwd(struct reload_enroll_database *db, const char *name,
                              const char *password, unsigned cost, uint64_t now_ms,
                              struct reload_cert_reason *reason)
{
    char hash[RELOAD_ENROLL_HASH_MAX];
    int error = hash_of(password, cost, hash, reason);
    if (error)
        return error;
    return explain(db, reload_enroll_database_passwd(db, name, hash, now_ms), name, reason);
}

int reload_enroll_user_remove(struct reload_enroll_database *db, const char *name, uint64_t now_ms,
                              struct reload_cert_reason *reason)
{
    return explain(db, reload_enroll_database_remove(db, name, now_ms), name, reason);
}

int reload_enroll_user_password(const char *path, char out[RELOAD_ENROLL_PASSWORD_MAX + 1],
                                struct reload_cert_reason *reason)
{
    int error = reload_enroll_password_read(path, out);
    if (error == RELOAD_E_IO)
        return reload_cert_refuse(reason, error, "the password file %s cannot be read: %s", path,
                                  strerror(errno));
    if (error)
        return reload_cert_refuse(reason, error,
                                  "the first line of the password file %s must be a "
                                  "password: 1 to 511 bytes of UTF-8",
                                  path);
    return 0;
}
