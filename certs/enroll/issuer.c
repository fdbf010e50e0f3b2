#include "certs/enroll/issuer.h"

#include "certs/enroll/connections.h"

#include "certs/file.h"
#include "certs/overlay_dir.h"
#include "reload/alloc.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <string.h>

#define DATABASE "enroll.db"

struct reload_enroll_issuer {
    pthread_mutex_t mutex; /* database, limiter, CA */
    struct reload_enroll_issuer_options options;
    struct reload_enroll_database *database;
    struct reload_enroll_limiter *limiter;
    struct reload_cert_ca *ca;
    char decoy[RELOAD_ENROLL_HASH_MAX]; /* checked for an account that does not exist */
};

static int open_database(struct reload_enroll_issuer *issuer, const char *directory,
                         struct reload_cert_reason *reason)
{
    char *path = reload_cert_file_path(directory, DATABASE);
    if (!path)
        return RELOAD_E_NOMEM;
    int error = reload_enroll_database_open(path, true, &issuer->database, reason);
    reload_free(path);
    return error;
}

static int load_ca(struct reload_enroll_issuer *issuer, const char *directory,
                   struct reload_cert_reason *reason)
{
    char *certificate = reload_cert_file_path(directory, RELOAD_CERT_CA_PEM);
    char *key = reload_cert_file_path(directory, RELOAD_CERT_CA_KEY);
    int error = certificate && key ? reload_cert_ca_load(certificate, key, &issuer->ca, reason)
                                   : RELOAD_E_NOMEM;
    reload_free(certificate);
    reload_free(key);
    return error;
}

/* A limiter with a secret of its own, and the decoy that makes an unknown name cost what a known
 * one does. */
static int make_guards(struct reload_enroll_issuer *issuer)
{
    uint8_t secret[32], password[16];
    char text[2 * sizeof password + 1];
    if (RAND_bytes(secret, sizeof secret) != 1 || RAND_bytes(password, sizeof password) != 1)
        return RELOAD_E_IO;
    for (size_t i = 0; i < sizeof password; i++)
        snprintf(text + 2 * i, 3, "%02x", password[i]);
    issuer->limiter = reload_enroll_limiter_new(&issuer->options.guesses, secret);
    if (!issuer->limiter)
        return RELOAD_E_NOMEM;
    return reload_enroll_password_hash(
        (struct reload_slice){ (const uint8_t *)text, sizeof text - 1 },
        issuer->options.password_cost, issuer->decoy);
}

int reload_enroll_issuer_new(const struct reload_enroll_issuer_options *options,
                             struct reload_enroll_issuer **out, struct reload_cert_reason *reason)
{
    *out = NULL;
    struct reload_enroll_issuer *issuer = reload_calloc(1, sizeof *issuer);
    if (!issuer)
        return RELOAD_E_NOMEM;
    pthread_mutex_init(&issuer->mutex, NULL);
    issuer->options = *options;
    int error = load_ca(issuer, options->directory, reason);
    if (!error)
        error = open_database(issuer, options->directory, reason);
    if (!error)
        error = make_guards(issuer);
    if (!error && reload_enroll_database_audit_check(issuer->database))
        error = reload_cert_refuse(reason, RELOAD_E_DECODE,
                                   "the audit log in %s/" DATABASE " was altered or has a gap; "
                                   "restore the database from a backup",
                                   options->directory);
    if (!error) {
        *out = issuer;
        return 0;
    }
    reload_enroll_issuer_free(issuer);
    return error;
}

void reload_enroll_issuer_free(struct reload_enroll_issuer *issuer)
{
    if (!issuer)
        return;
    reload_enroll_database_close(issuer->database);
    reload_enroll_limiter_free(issuer->limiter);
    reload_cert_ca_free(issuer->ca);
    pthread_mutex_destroy(&issuer->mutex);
    reload_free(issuer);
}

struct reload_slice reload_enroll_issuer_ca(const struct reload_enroll_issuer *issuer)
{
    return reload_cert_ca_certificate(issuer->ca);
}

struct request { /* one decision on its way */
    struct reload_enroll_issuer *issuer;
    const struct reload_enroll_overlay *overlay;
    const struct reload_enroll_form *form;
    const struct reload_enroll_address *address;
    struct reload_enroll_decision *out;
    struct reload_enroll_user user;
    bool known;
    char from[64];
};

static bool refuse(struct request *r, enum reload_enroll_event event, const char *why)
{
    char name[RELOAD_ENROLL_USERNAME_MAX + 1];
    memcpy(name, r->form->username_bytes, r->form->username.len);
    name[r->form->username.len] = '\0';
    r->out->event = event;
    reload_enroll_note(r->issuer->options.events, event, "account %s from %s: %s", name, r->from,
                       why);
    return false;
}

static struct reload_slice user_name(const struct reload_enroll_form *form)
{
    return (struct reload_slice){ form->username_bytes, form->username.len };
}

/* With the mutex: finds the account (the decoy stands in for none) and takes a guess. */
static bool admit(struct request *r, struct reload_enroll_attempt *attempt)
{
    struct reload_enroll_issuer *issuer = r->issuer;
    int error = r->form->username.too_long
                    ? RELOAD_E_NOT_FOUND
                    : reload_enroll_database_find(issuer->database, user_name(r->form), &r->user);
    if (error && error != RELOAD_E_NOT_FOUND)
        return refuse(r, RELOAD_ENROLL_INTERNAL_ERROR,
                      reload_enroll_database_text(issuer->database));
    if (error || r->user.removed) {
        r->user = (struct reload_enroll_user){ .id = 0 };
        memcpy(r->user.hash, issuer->decoy, sizeof r->user.hash);
    }
    r->known = r->user.id && reload_enroll_database_knows(issuer->database, r->user.id, r->address);
    if (reload_enroll_limiter_take(issuer->limiter, user_name(r->form), r->address, r->known,
                                   reload_enroll_monotonic_ms(), attempt, &r->out->retry_ms))
        return refuse(r, RELOAD_ENROLL_TOO_MANY_ATTEMPTS, "too many wrong passwords before");
    return true;
}

/* RFC 6940 s11.3: the server authenticates the request by account name and password. */
static bool authenticate(struct request *r)
{
    struct reload_enroll_issuer *issuer = r->issuer;
    struct reload_enroll_attempt attempt;
    pthread_mutex_lock(&issuer->mutex);
    bool go_on = admit(r, &attempt);
    pthread_mutex_unlock(&issuer->mutex);
    if (!go_on)
        return false;

    struct reload_slice password = { r->form->password_bytes, r->form->password.len };
    int error = reload_enroll_password_verify(password, r->user.hash);
    bool right = !error && r->user.id && !r->form->password.too_long;
    if (right || error == RELOAD_E_NOMEM) {
        pthread_mutex_lock(&issuer->mutex);
        reload_enroll_limiter_refund(issuer->limiter, &attempt);
        pthread_mutex_unlock(&issuer->mutex);
    }
    if (error == RELOAD_E_NOMEM)
        return refuse(r, RELOAD_ENROLL_INTERNAL_ERROR, "no memory to check the password");
    return right || refuse(r, RELOAD_ENROLL_FAILED_AUTHENTICATION,
                           r->user.id ? "wrong password" : "no such account");
}

/* Takes the public key and nothing else; the name, when the CSR has one, must be the account's. */
static bool read_csr(struct request *r, struct reload_cert_csr *csr)
{
    struct reload_cert_reason reason = { "" };
    const struct reload_enroll_form *form = r->form;
    if (!form->csr.present || form->csr.too_long)
        return refuse(r, RELOAD_ENROLL_BAD_CSR, form->csr.present ? "too long" : "no csr field");
    if (!form->csr_is_pkcs10)
        return refuse(r, RELOAD_ENROLL_BAD_CSR, "csr is not of type application/pkcs10");
    int error = reload_cert_csr_parse((struct reload_slice){ form->csr_bytes, form->csr.len }, csr,
                                      &reason);
    if (error == RELOAD_E_NOMEM)
        return refuse(r, RELOAD_ENROLL_INTERNAL_ERROR, "no memory");
    if (error == RELOAD_E_INVALID)
        return refuse(r, RELOAD_ENROLL_USERNAME_NOT_AVAILABLE, reason.text);
    if (error)
        return refuse(r, RELOAD_ENROLL_BAD_CSR, reason.text);
    if (csr->user_name[0] == '\0' || strcmp(csr->user_name, r->user.name) == 0)
        return true;
    reload_cert_csr_fini(csr);
    return refuse(r, RELOAD_ENROLL_USERNAME_NOT_AVAILABLE, "the CSR asks for another name");
}

/* Signs what was reserved and stores it. */
static bool sign(struct request *r, const struct reload_cert_csr *csr,
                 const struct reload_enroll_reservation *reservation, uint64_t now_ms)
{
    struct reload_cert_reason reason = { "" };
    struct reload_enroll_issuer *issuer = r->issuer;
    struct reload_cert_issue issue = {
        .overlay = r->overlay->name,
        .public_key = reload_cert_bytes_slice(&csr->public_key),
        .user_name = { (const uint8_t *)r->user.name, strlen(r->user.name) },
        .node_ids = reservation->node_ids,
        .node_id_count = reservation->node_id_count,
        .serial = { reservation->serial, sizeof reservation->serial },
        .not_before_ms = reservation->not_before_ms,
        .not_after_ms = reservation->not_after_ms,
    };
    if (reload_cert_ca_issue(issuer->ca, &issue, &r->out->der, &reason))
        return refuse(r, RELOAD_ENROLL_INTERNAL_ERROR, reason.text);
    if (reload_enroll_database_issue(issuer->database, reservation,
                                     reload_cert_bytes_slice(&r->out->der), now_ms) == 0)
        return true;
    reload_cert_bytes_fini(&r->out->der);
    return refuse(r, RELOAD_ENROLL_INTERNAL_ERROR, reload_enroll_database_text(issuer->database));
}

/* With the mutex: reserve, sign, store. */
static bool issue(struct request *r, const struct reload_cert_csr *csr, const char *device,
                  uint32_t node_ids)
{
    struct reload_enroll_issuer *issuer = r->issuer;
    struct reload_enroll_reservation reservation;
    struct reload_enroll_wish wish = {
        .user = &r->user,
        .device = device,
        .node_ids = node_ids,
        .node_id_len = r->overlay->node_id_len,
        .now_ms = reload_enroll_unix_ms(),
        .lifetime_ms = (uint64_t)issuer->options.certificate_lifetime_s * 1000,
    };
    if (!EVP_Digest(csr->public_key.p, csr->public_key.n, wish.key_hash, NULL, EVP_sha256(), NULL))
        return refuse(r, RELOAD_ENROLL_INTERNAL_ERROR, "no memory");
    switch (reload_enroll_database_reserve(issuer->database, &wish, &reservation)) {
    case 0: break;
    case RELOAD_E_LIMIT:
        return refuse(r, RELOAD_ENROLL_NODE_IDS_NOT_AVAILABLE, "more Node-IDs than its cap");
    case RELOAD_E_STATE:
        return refuse(r, RELOAD_ENROLL_TOO_MANY_CERTIFICATES, "too many unexpired certificates");
    case RELOAD_E_NOT_FOUND:
        return refuse(r, RELOAD_ENROLL_FAILED_AUTHENTICATION, "removed a moment ago");
    default:
        return refuse(r, RELOAD_ENROLL_INTERNAL_ERROR,
                      reload_enroll_database_text(issuer->database));
    }
    if (!sign(r, csr, &reservation, wish.now_ms))
        return false;
    if (!r->known &&
        reload_enroll_database_remember(issuer->database, r->user.id, r->address, wish.now_ms))
        reload_enroll_note(issuer->options.events, RELOAD_ENROLL_INTERNAL_ERROR,
                           "the address of %s is not remembered: %s", r->user.name,
                           reload_enroll_database_text(issuer->database));
    r->out->event = RELOAD_ENROLL_ISSUED;
    reload_enroll_note(issuer->options.events, RELOAD_ENROLL_ISSUED,
                       "account %s from %s: %zu Node-IDs%s", r->user.name, r->from,
                       reservation.node_id_count, reservation.resumed ? ", resumed" : "");
    return true;
}

void reload_enroll_issuer_decide(struct reload_enroll_issuer *issuer,
                                 const struct reload_enroll_overlay *overlay,
                                 const struct reload_enroll_form *form,
                                 const struct reload_enroll_address *address,
                                 struct reload_enroll_decision *out)
{
    struct request r = { issuer, overlay, form, address, out, { .id = 0 }, false, "" };
    struct reload_cert_csr csr;
    char device[RELOAD_ENROLL_DEVICE_MAX + 1];
    uint32_t node_ids;
    *out = (struct reload_enroll_decision){ .event = RELOAD_ENROLL_INTERNAL_ERROR };
    reload_enroll_address_text(address, r.from);
    if (!authenticate(&r))
        return;
    if (reload_enroll_form_node_ids(form, &node_ids)) {
        refuse(&r, RELOAD_ENROLL_NODE_IDS_NOT_AVAILABLE, "nodeids is not a number from 1");
        return;
    }
    if (reload_enroll_form_device(form, device)) {
        refuse(&r, RELOAD_ENROLL_NODE_IDS_NOT_AVAILABLE, "device is no name of a device");
        return;
    }
    if (!read_csr(&r, &csr))
        return;
    pthread_mutex_lock(&issuer->mutex);
    issue(&r, &csr, device, node_ids);
    pthread_mutex_unlock(&issuer->mutex);
    reload_cert_csr_fini(&csr);
}
