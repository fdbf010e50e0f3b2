#include "forge.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <sys/socket.h>

#include "reload/link/engine_internal.h"

#define HEADER_LEN      13
#define SEQUENCE_LEN    8 /* epoch and number */
#define EXPLICIT_LEN    8 /* part of the nonce, RFC 5288 s3 */
#define TAG_LEN         16
#define MASTER_LEN      48
#define RANDOM_LEN      32
#define BLOCK_MAX       (2 * 32 + 2 * 4)
#define FIRST_OF_FORGED (UINT64_C(1) << 32) /* the client's own ones are all older */

static size_t key_len(const struct forge *forge)
{
    return (size_t)EVP_CIPHER_get_key_length(forge->cipher);
}

/* RFC 5246 s6.3: the client's key and the server's, then their IVs. */
static void derive(SSL *ssl, uint8_t *block, size_t len)
{
    static char label[] = "key expansion";
    uint8_t master[MASTER_LEN], seed[sizeof label - 1 + 2 * RANDOM_LEN];
    must(SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof master) == sizeof master);
    memcpy(seed, label, sizeof label - 1);
    SSL_get_server_random(ssl, seed + sizeof label - 1, RANDOM_LEN);
    SSL_get_client_random(ssl, seed + sizeof label - 1 + RANDOM_LEN, RANDOM_LEN);
    const EVP_MD *digest = SSL_CIPHER_get_handshake_digest(SSL_get_current_cipher(ssl));
    char *name = (char *)(uintptr_t)EVP_MD_get0_name(digest);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, master, sizeof master),
        OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, sizeof seed),
        OSSL_PARAM_construct_end(),
    };
    EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_TLS1_PRF, NULL);
    EVP_KDF_CTX *context = EVP_KDF_CTX_new(kdf);
    must(EVP_KDF_derive(context, block, len, params) == 1);
    EVP_KDF_CTX_free(context);
    EVP_KDF_free(kdf);
}

void forge_init(struct forge *forge, struct raw_client *client)
{
    uint8_t block[BLOCK_MAX];
    SSL *ssl = client->engine->ssl;
    int nid = SSL_CIPHER_get_cipher_nid(SSL_get_current_cipher(ssl));
    *forge = (struct forge){ .client = client,
                             .cipher = EVP_get_cipherbynid(nid),
                             .sequence = FIRST_OF_FORGED };
    must(forge->cipher && EVP_CIPHER_get_mode(forge->cipher) == EVP_CIPH_GCM_MODE);
    derive(ssl, block, 2 * key_len(forge) + 2 * sizeof forge->salt);
    memcpy(forge->key, block, key_len(forge));
    memcpy(forge->salt, block + 2 * key_len(forge), sizeof forge->salt);
}

static void write_header(uint8_t *to, uint8_t type, uint16_t epoch, uint64_t sequence, size_t len)
{
    struct reload_writer w = reload_writer_of(to, HEADER_LEN);
    reload_wr_u8(&w, type);
    reload_wr_u16(&w, 0xfefd); /* DTLS 1.2 */
    reload_wr_u64(&w, (uint64_t)epoch << 48 | sequence);
    reload_wr_u16(&w, (uint16_t)len);
}

static void deliver(const struct raw_client *client, const uint8_t *record, size_t n)
{
    must(send(client->fd, record, n, 0) == (ssize_t)n);
}

void forge_sealed(struct forge *forge, uint8_t type, const void *p, size_t n)
{
    uint8_t record[FORGE_RECORD_MAX], header[HEADER_LEN], nonce[sizeof forge->salt + EXPLICIT_LEN];
    uint8_t *explicit_nonce = record + HEADER_LEN, *text = explicit_nonce + EXPLICIT_LEN;
    int len;
    must(n <= sizeof record - HEADER_LEN - EXPLICIT_LEN - TAG_LEN);
    write_header(header, type, 1, forge->sequence, n);
    write_header(record, type, 1, forge->sequence++, EXPLICIT_LEN + n + TAG_LEN);
    memcpy(explicit_nonce, record + 3, SEQUENCE_LEN); /* as good as any that is used once */
    memcpy(nonce, forge->salt, sizeof forge->salt);
    memcpy(nonce + sizeof forge->salt, explicit_nonce, EXPLICIT_LEN);
    /* RFC 5246 s6.2.3.3: what is authenticated with it begins with the number. */
    uint8_t aad[HEADER_LEN];
    memcpy(aad, header + 3, SEQUENCE_LEN);
    memcpy(aad + SEQUENCE_LEN, header, 3);
    memcpy(aad + SEQUENCE_LEN + 3, header + 11, 2);
    EVP_CIPHER_CTX *seal = EVP_CIPHER_CTX_new();
    must(EVP_EncryptInit_ex(seal, forge->cipher, NULL, forge->key, nonce) == 1);
    must(EVP_EncryptUpdate(seal, NULL, &len, aad, sizeof aad) == 1);
    must(n == 0 || EVP_EncryptUpdate(seal, text, &len, p, (int)n) == 1);
    must(EVP_EncryptFinal_ex(seal, text + n, &len) == 1);
    must(EVP_CIPHER_CTX_ctrl(seal, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, text + n) == 1);
    EVP_CIPHER_CTX_free(seal);
    deliver(forge->client, record, HEADER_LEN + EXPLICIT_LEN + n + TAG_LEN);
}

void forge_plain(const struct raw_client *client, uint8_t type, uint16_t epoch, uint64_t sequence,
                 const void *p, size_t n)
{
    uint8_t record[FORGE_RECORD_MAX];
    must(n <= sizeof record - HEADER_LEN);
    write_header(record, type, epoch, sequence, n);
    memcpy(record + HEADER_LEN, p, n);
    deliver(client, record, HEADER_LEN + n);
}
