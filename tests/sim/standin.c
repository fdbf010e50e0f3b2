#include "tests/sim/standin.h"

#include <stdlib.h>

#include "reload/wire/security_block.h"

#define MAGIC           0x7374696eu    /* "stin" */
#define BUCKET_MAX      64             /* certificates looked at in one bucket */
#define REMEMBERED      1024           /* a power of two */
#define IDENTITY_LEN    32             /* bytes of a SHA-256 */
#define ALWAYS_VALID_MS 4102444800000u /* 2100-01-01 */

struct remembered { /* a certificate that was checked, by the hash that names it */
    uint8_t hash[IDENTITY_LEN];
    struct reload_node_id node_id; /* the one the hash selects; len 0: empty place */
    uint8_t bytes[RELOAD_STANDIN_CERTIFICATE_MAX];
    size_t len;
};

struct answer { /* what identify() gave last: allocated anew each time, so that a caller who keeps
                   it longer than he may is caught by the address sanitizer */
    struct reload_identity identity;
    struct reload_node_id node_ids[RELOAD_STANDIN_NODE_IDS_MAX];
    uint8_t bytes[RELOAD_STANDIN_CERTIFICATE_MAX];
};

struct reload_standin {
    const struct reload_config *config;
    struct reload_crypto crypto;
    struct reload_own_identity own;
    uint8_t certificate[RELOAD_STANDIN_CERTIFICATE_MAX];
    uint8_t bucket[3 + RELOAD_STANDIN_CERTIFICATE_MAX];
    uint8_t signer_identity[5 + IDENTITY_LEN];
    struct remembered *remembered[REMEMBERED];
    struct answer *answer;
    struct reload_standin_counters counters;
};

/* --- mixing --- */

static uint64_t splitmix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

struct mixer { /* takes bytes in any portions, eight at a time */
    uint64_t state, word, total;
};

static void mix(struct mixer *m, struct reload_slice bytes)
{
    for (size_t i = 0; i < bytes.n; i++) {
        m->word = m->word << 8 | bytes.p[i];
        if (++m->total % 8 == 0) {
            m->state = (m->state ^ m->word) * 0xff51afd7ed558ccdu;
            m->state ^= m->state >> 32;
        }
    }
}

static void mixed(struct mixer *m, uint8_t *out, size_t len)
{
    /* The bytes since the last full word, and how many there were in all. */
    uint64_t rest = m->total % 8 ? m->word & ((UINT64_C(1) << m->total % 8 * 8) - 1) : 0;
    uint64_t seed = splitmix(splitmix(m->state ^ rest) ^ m->total);
    for (size_t i = 0; i < len; i++) {
        if (i % 8 == 0)
            seed = splitmix(seed);
        out[i] = (uint8_t)(seed >> i % 8 * 8);
    }
}

static int digest(void *context, enum reload_hash_algorithm algorithm,
                  const struct reload_slice *parts, size_t count, uint8_t *out, size_t *len)
{
    static const size_t lengths[] = {
        [RELOAD_HASH_SHA1] = 20,   [RELOAD_HASH_SHA224] = 28, [RELOAD_HASH_SHA256] = 32,
        [RELOAD_HASH_SHA384] = 48, [RELOAD_HASH_SHA512] = 64,
    };
    size_t row = (size_t)algorithm;
    if (row >= sizeof lengths / sizeof lengths[0] || lengths[row] == 0)
        return RELOAD_E_UNSUPPORTED;
    struct reload_standin *s = context;
    if (s)
        s->counters.digests++;
    struct mixer m = { .state = splitmix(row) };
    for (size_t i = 0; i < count; i++)
        mix(&m, parts[i]);
    *len = lengths[row];
    mixed(&m, out, *len);
    return 0;
}

static void make_signature(struct reload_slice certificate, const struct reload_slice *parts,
                           size_t count, uint8_t *out)
{
    struct mixer m = { .state = 0x7369676eu };
    mix(&m, certificate);
    for (size_t i = 0; i < count; i++)
        mix(&m, parts[i]);
    mixed(&m, out, RELOAD_STANDIN_SIGNATURE_LEN);
}

/* --- certificates --- */

struct reload_standin_certificate reload_standin_certificate(const struct reload_config *config,
                                                             const struct reload_node_id *node_id,
                                                             const char *user_name)
{
    return (struct reload_standin_certificate){
        .node_ids = { *node_id },
        .node_id_count = 1,
        .user_name = user_name,
        .overlay = config->overlay,
        .not_after_ms = ALWAYS_VALID_MS,
    };
}

size_t reload_standin_certificate_bytes(const struct reload_standin_certificate *c, uint8_t *out)
{
    const char *user = c->user_name ? c->user_name : "";
    if (c->node_id_count > RELOAD_STANDIN_NODE_IDS_MAX ||
        strlen(user) > RELOAD_STANDIN_USER_NAME_MAX)
        return 0;
    struct reload_writer w = reload_writer_of(out, RELOAD_STANDIN_CERTIFICATE_MAX);
    reload_wr_u32(&w, MAGIC);
    reload_wr_boolean(&w, c->stranger);
    reload_wr_u32(&w, c->overlay);
    reload_wr_u32(&w, c->serial);
    reload_wr_u64(&w, c->not_before_ms);
    reload_wr_u64(&w, c->not_after_ms);
    reload_wr_opaque8(&w, reload_slice_of(user, strlen(user)));
    size_t ids = reload_wr_open8(&w);
    for (size_t i = 0; i < c->node_id_count; i++)
        reload_wr_node_id(&w, &c->node_ids[i]);
    reload_wr_close8(&w, ids);
    return reload_writer_slice(&w).n;
}

/* Reads a certificate into an identity whose slices lie in `bytes`. */
static int read_certificate(struct reload_slice bytes, size_t node_id_len,
                            struct reload_node_id *node_ids, struct reload_identity *out,
                            uint32_t *overlay, bool *stranger)
{
    struct reload_reader r = reload_reader_over(bytes);
    if (reload_rd_u32(&r) != MAGIC)
        return RELOAD_E_CERTIFICATE;
    *stranger = reload_rd_boolean(&r);
    *overlay = reload_rd_u32(&r);
    reload_rd_u32(&r); /* serial */
    out->certificate = bytes;
    out->issuers = (struct reload_slice){ 0 }; /* nobody stands between */
    out->not_before_ms = reload_rd_u64(&r);
    out->not_after_ms = reload_rd_u64(&r);
    out->user_name = reload_rd_opaque8(&r);
    struct reload_reader ids = reload_rd_open8(&r);
    out->node_ids = node_ids;
    out->node_id_count = 0;
    while (reload_reader_more(&ids) && out->node_id_count < RELOAD_STANDIN_NODE_IDS_MAX)
        node_ids[out->node_id_count++] = reload_rd_node_id(&ids, node_id_len);
    reload_rd_close(&r, &ids);
    return reload_reader_finish(&r) || out->node_id_count == 0 ? RELOAD_E_CERTIFICATE : 0;
}

/* What certs/ checks of a certificate that has been found. */
static int acceptable(const struct reload_standin *s, const struct reload_identity *identity,
                      uint32_t overlay, bool stranger, struct reload_time now)
{
    if (stranger || overlay != s->config->overlay)
        return RELOAD_E_CERTIFICATE;
    for (size_t i = 0; i < identity->node_id_count; i++)
        if (reload_config_is_bad_node(s->config, &identity->node_ids[i]))
            return RELOAD_E_FORBIDDEN;
    if (now.unix_ms < identity->not_before_ms || now.unix_ms > identity->not_after_ms)
        return RELOAD_E_EXPIRED;
    return 0;
}

/* --- who signed --- */

static struct remembered **place_of(struct reload_standin *s, const uint8_t *hash)
{
    return &s->remembered[((size_t)hash[0] << 8 | hash[1]) % REMEMBERED];
}

static int remember(struct reload_standin *s, const uint8_t *hash, struct reload_slice certificate,
                    const struct reload_node_id *node_id)
{
    struct remembered **place = place_of(s, hash);
    if (!*place && !(*place = malloc(sizeof **place)))
        return RELOAD_E_NOMEM;
    memcpy((*place)->hash, hash, IDENTITY_LEN);
    memcpy((*place)->bytes, certificate.p, certificate.n);
    (*place)->len = certificate.n;
    (*place)->node_id = *node_id;
    return 0;
}

static bool hash_names(struct reload_standin *s, const uint8_t *hash,
                       const struct reload_node_id *node_id, struct reload_slice certificate)
{
    uint8_t made[RELOAD_DIGEST_MAX];
    size_t len;
    struct reload_slice parts[] = { node_id ? reload_node_id_slice(node_id)
                                            : reload_slice_of("", 0),
                                    certificate };
    return digest(s, RELOAD_HASH_SHA256, parts, 2, made, &len) == 0 &&
           memcmp(made, hash, IDENTITY_LEN) == 0;
}

/* The Node-ID of this certificate that the SignerIdentity selects, or NULL. */
static const struct reload_node_id *selected(struct reload_standin *s, uint8_t identity_type,
                                             const uint8_t *hash,
                                             const struct reload_identity *identity)
{
    if (identity_type == RELOAD_SIGNER_CERT_HASH) /* s6.3.4: only for a single Node-ID */
        return identity->node_id_count == 1 && hash_names(s, hash, NULL, identity->certificate)
                   ? &identity->node_ids[0]
                   : NULL;
    for (size_t i = 0; i < identity->node_id_count; i++)
        if (hash_names(s, hash, &identity->node_ids[i], identity->certificate))
            return &identity->node_ids[i];
    return NULL;
}

static int find_in_bucket(struct reload_standin *s, struct reload_slice certificates,
                          uint8_t identity_type, const uint8_t *hash)
{
    struct reload_reader list = reload_reader_over(certificates);
    struct reload_certificate c;
    for (size_t i = 0; i < BUCKET_MAX && reload_certificate_next(&list, &c); i++) {
        struct reload_identity identity;
        struct reload_node_id ids[RELOAD_STANDIN_NODE_IDS_MAX];
        uint32_t overlay;
        bool stranger;
        if (c.type != RELOAD_CERTIFICATE_X509 || c.certificate.n > RELOAD_STANDIN_CERTIFICATE_MAX ||
            read_certificate(c.certificate, s->config->node_id_length, ids, &identity, &overlay,
                             &stranger))
            continue;
        const struct reload_node_id *id = selected(s, identity_type, hash, &identity);
        if (id)
            return remember(s, hash, c.certificate, id);
    }
    return RELOAD_E_CERTIFICATE;
}

static int answer_with(struct reload_standin *s, const struct remembered *known,
                       struct reload_time now, struct reload_signer *out)
{
    free(s->answer);
    s->answer = malloc(sizeof *s->answer);
    if (!s->answer)
        return RELOAD_E_NOMEM;
    uint32_t overlay;
    bool stranger;
    memcpy(s->answer->bytes, known->bytes, known->len);
    int error =
        read_certificate(reload_slice_of(s->answer->bytes, known->len), s->config->node_id_length,
                         s->answer->node_ids, &s->answer->identity, &overlay, &stranger);
    if (!error)
        error = acceptable(s, &s->answer->identity, overlay, stranger, now);
    if (error)
        return error;
    out->identity = &s->answer->identity;
    out->node_id = known->node_id;
    return 0;
}

static int identify(void *context, struct reload_slice certificates, uint8_t identity_type,
                    struct reload_slice identity_value, struct reload_time now,
                    struct reload_signer *out)
{
    struct reload_standin *s = context;
    s->counters.identifications++;
    struct reload_reader r = reload_reader_over(identity_value);
    uint8_t algorithm = reload_rd_u8(&r);
    struct reload_slice hash = reload_rd_opaque8(&r);
    if ((identity_type != RELOAD_SIGNER_CERT_HASH &&
         identity_type != RELOAD_SIGNER_CERT_HASH_NODE_ID) ||
        reload_reader_finish(&r))
        return RELOAD_E_CERTIFICATE;
    if (algorithm != RELOAD_HASH_SHA256)
        return RELOAD_E_UNSUPPORTED;
    if (hash.n != IDENTITY_LEN)
        return RELOAD_E_CERTIFICATE;
    struct remembered **place = place_of(s, hash.p);
    if (!*place || memcmp((*place)->hash, hash.p, IDENTITY_LEN) != 0) {
        int error = find_in_bucket(s, certificates, identity_type, hash.p);
        if (error)
            return error;
    }
    return answer_with(s, *place, now, out);
}

/* --- signatures --- */

static int sign(void *context, const struct reload_slice *parts, size_t count, uint8_t *out,
                size_t *len)
{
    struct reload_standin *s = context;
    s->counters.signatures++;
    make_signature(s->own.certificate, parts, count, out);
    *len = RELOAD_STANDIN_SIGNATURE_LEN;
    return 0;
}

static int verify(void *context, const struct reload_identity *identity, uint8_t hash_algorithm,
                  uint8_t signature_algorithm, const struct reload_slice *parts, size_t count,
                  struct reload_slice signature)
{
    struct reload_standin *s = context;
    s->counters.verifications++;
    if (hash_algorithm != RELOAD_HASH_SHA256 || signature_algorithm != RELOAD_SIGNATURE_ECDSA)
        return RELOAD_E_UNSUPPORTED;
    uint8_t right[RELOAD_STANDIN_SIGNATURE_LEN];
    make_signature(identity->certificate, parts, count, right);
    return reload_slice_equal(signature, reload_slice_of(right, sizeof right)) ? 0
                                                                               : RELOAD_E_SIGNATURE;
}

static void forget_all(struct reload_standin *s)
{
    for (size_t i = 0; i < REMEMBERED; i++) {
        free(s->remembered[i]);
        s->remembered[i] = NULL;
    }
    free(s->answer);
    s->answer = NULL;
}

static void configure(void *context, const struct reload_config *config)
{
    struct reload_standin *s = context;
    forget_all(s);
    s->config = config;
}

static const struct reload_crypto_ops ops = { digest, sign, identify, verify, configure };

/* --- a node's context --- */

static void make_own_identity(struct reload_standin *s,
                              const struct reload_standin_certificate *certificate, size_t acts_as,
                              size_t certificate_len)
{
    struct reload_own_identity *own = &s->own;
    own->node_id = certificate->node_ids[acts_as];
    own->certificate = reload_slice_of(s->certificate, certificate_len);
    const uint8_t *name = s->certificate + 29; /* magic, stranger, overlay, serial, two times */
    own->user_name = reload_slice_of(name + 1, name[0]);
    own->hash_algorithm = RELOAD_HASH_SHA256;
    own->signature_algorithm = RELOAD_SIGNATURE_ECDSA;
    own->not_after_ms = certificate->not_after_ms;
    own->self_signed = certificate->self_signed;

    struct reload_writer w = reload_writer_of(s->bucket, sizeof s->bucket);
    reload_wr_u8(&w, RELOAD_CERTIFICATE_X509);
    reload_wr_opaque16(&w, own->certificate);
    own->certificates = reload_writer_slice(&w);

    /* s6.3.4: cert_hash for one Node-ID, cert_hash_node_id for more. */
    bool one = certificate->node_id_count == 1;
    struct reload_slice parts[] = { reload_slice_of(own->node_id.bytes, one ? 0 : own->node_id.len),
                                    own->certificate };
    uint8_t hash[RELOAD_DIGEST_MAX];
    size_t len = 0;
    digest(NULL, RELOAD_HASH_SHA256, parts, 2, hash, &len);
    w = reload_writer_of(s->signer_identity, sizeof s->signer_identity);
    reload_wr_u8(&w, one ? RELOAD_SIGNER_CERT_HASH : RELOAD_SIGNER_CERT_HASH_NODE_ID);
    size_t mark = reload_wr_open16(&w);
    reload_wr_u8(&w, RELOAD_HASH_SHA256);
    reload_wr_opaque8(&w, reload_slice_of(hash, len));
    reload_wr_close16(&w, mark);
    own->signer_identity = reload_writer_slice(&w);
}

struct reload_standin *reload_standin_new(const struct reload_config *config,
                                          const struct reload_standin_certificate *certificate,
                                          size_t acts_as)
{
    struct reload_standin *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->config = config;
    size_t len = reload_standin_certificate_bytes(certificate, s->certificate);
    if (len == 0 || acts_as >= certificate->node_id_count) {
        free(s);
        return NULL;
    }
    make_own_identity(s, certificate, acts_as, len);
    s->crypto = (struct reload_crypto){ .ops = &ops, .context = s, .own = &s->own };
    return s;
}

void reload_standin_free(struct reload_standin *s)
{
    if (!s)
        return;
    forget_all(s);
    free(s);
}

const struct reload_crypto *reload_standin_crypto(const struct reload_standin *s)
{
    return &s->crypto;
}

const struct reload_standin_counters *reload_standin_counters(const struct reload_standin *s)
{
    return &s->counters;
}

int reload_standin_resource_id(const struct reload_crypto *crypto,
                               struct reload_slice resource_name, uint8_t *out, size_t *len)
{
    uint8_t full[RELOAD_DIGEST_MAX];
    int error =
        crypto->ops->digest(crypto->context, RELOAD_HASH_SHA1, &resource_name, 1, full, len);
    if (error)
        return error;
    *len = 16;
    memcpy(out, full, *len);
    return 0;
}

/* --- numbers --- */

static void fill(void *context, uint8_t *out, size_t len)
{
    struct reload_standin_random *random = context;
    for (size_t i = 0; i < len; i++) {
        uint64_t word = splitmix(random->state + i / 8);
        out[i] = (uint8_t)(word >> i % 8 * 8);
    }
    random->state += 0x9e3779b97f4a7c15u * (len / 8 + 1);
}

struct reload_random reload_standin_random(struct reload_standin_random *random, uint64_t seed)
{
    random->state = splitmix(seed);
    return (struct reload_random){ fill, random };
}

struct reload_node_id reload_standin_node_id(uint64_t number)
{
    struct reload_standin_random source;
    struct reload_random random = reload_standin_random(&source, number);
    struct reload_node_id id = { .len = 16 };
    random.fill(random.context, id.bytes, id.len);
    return id;
}
