#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "certs/csr.h"

/* A PKCS#10 request as the enrollment server gets it. What is refused has a reason that a terminal
 * can show. What is accepted has a key that every peer can verify by, whole, and a name that a
 * request of our own can ask for and gets back. */

static void demand(bool holds)
{
    if (!holds)
        abort();
}

static void demand_reason(const struct reload_cert_reason *reason)
{
    demand(reason->text[0] && strlen(reason->text) < sizeof reason->text);
    for (const char *c = reason->text; *c; c++)
        demand(*c >= 0x20 && *c <= 0x7e);
}

static void demand_key(const struct reload_cert_bytes *der)
{
    const uint8_t *at = der->p;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)der->n);
    demand(key && at == der->p + der->n);
    int bits = EVP_PKEY_get_bits(key);
    demand(EVP_PKEY_is_a(key, "RSA") ? bits >= 2048 && bits <= 4096
                                     : EVP_PKEY_is_a(key, "EC") && bits == 256);
    EVP_PKEY_free(key);
}

static void demand_name_comes_back(const char *user_name)
{
    static struct reload_cert_key *key;
    struct reload_cert_bytes request, public_key;
    struct reload_cert_csr again;
    demand(key || reload_cert_key_generate(RELOAD_CERT_KEY_EC, &key) == 0);
    demand(reload_cert_csr_create(key, reload_slice_of(user_name, strlen(user_name)), &request,
                                  NULL) == 0);
    demand(reload_cert_csr_parse(reload_cert_bytes_slice(&request), &again, NULL) == 0);
    demand(reload_cert_key_public(key, &public_key) == 0);
    demand(strcmp(again.user_name, user_name) == 0);
    demand(reload_slice_equal(reload_cert_bytes_slice(&again.public_key),
                              reload_cert_bytes_slice(&public_key)));
    reload_cert_csr_fini(&again);
    reload_cert_bytes_fini(&public_key);
    reload_cert_bytes_fini(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reload_cert_csr csr;
    struct reload_cert_reason reason = { "" };
    if (reload_cert_csr_parse(reload_slice_of(data, size), &csr, &reason) != 0) {
        demand_reason(&reason);
        return 0;
    }
    demand(size <= RELOAD_CERT_CSR_MAX);
    demand(strlen(csr.user_name) <= RELOAD_CERT_USER_NAME_MAX);
    demand_key(&csr.public_key);
    demand_name_comes_back(csr.user_name);
    reload_cert_csr_fini(&csr);
    return 0;
}
