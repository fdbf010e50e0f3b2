#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "certs/certificate.h"
#include "certs/lint.h"
#include "certs/trust.h"
#include "reload/wire/cursor.h"

/* Certificates, each behind its length in two bytes. The first is the overlay's root, the others
 * are the chain that a node shows; the one byte before them says what the overlay permits. */

#define NOW_MS       1800000000000u
#define ENTRIES_MAX  6
#define SELF_SIGNED  1
#define BARE_NODE_ID 2

static size_t split(struct reload_reader *r, struct reload_slice entries[ENTRIES_MAX])
{
    size_t count = 0;
    while (count < ENTRIES_MAX && reload_reader_more(r)) {
        entries[count] = reload_rd_opaque16(r);
        count += !r->failed;
    }
    return count;
}

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* What every certificate that was accepted says. */
static void judge(const struct reload_identity *identity)
{
    must(identity->node_id_count > 0 && identity->node_id_count <= RELOAD_CERT_NODE_IDS_MAX);
    for (size_t i = 0; i < identity->node_id_count; i++) {
        const struct reload_node_id *id = &identity->node_ids[i];
        const struct reload_node_id wildcard = reload_node_id_wildcard(id->len);
        must(id->len == 16 && reload_node_id_is_valid(reload_node_id_slice(id)));
        must(!reload_node_id_equal(id, &wildcard));
    }
    must(identity->user_name.n == 0 ||
         !memchr(identity->user_name.p, 0, identity->user_name.n)); /* a NUL hides what follows */
    must(identity->not_before_ms <= NOW_MS && identity->not_after_ms >= NOW_MS);
}

static void check(const struct reload_config *config, bool bare, const struct reload_slice *chain,
                  size_t count)
{
    struct reload_trust *trust;
    struct reload_cert_reason reason = { "" };
    const struct reload_identity *identity, *cached;
    if (reload_trust_new(config, bare, &trust, &reason) != 0)
        return;
    int error = reload_trust_check(trust, chain, count, NOW_MS, &identity, &reason);
    must(reload_trust_check(trust, chain, count, NOW_MS, &cached, &reason) == error);
    if (!error) {
        must(identity == cached);
        judge(identity);
    }
    reload_trust_free(trust);
}

/* The linter of what we issue, asked whether the certificate says just what it does say. */
static void lint(struct reload_slice der, const struct reload_identity *identity)
{
    struct reload_cert_reason reason = { "" };
    const struct reload_cert_lint expected = { "overlay.example.org", identity->node_ids,
                                               identity->node_id_count, identity->user_name };
    must(reload_cert_lint(der, &expected, &reason) == 0 || reason.text[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct reload_slice entries[ENTRIES_MAX];
    struct reload_cert_reason reason = { "" };
    if (size < 1)
        return 0;
    struct reload_reader r = reload_reader_of(data + 1, size - 1);
    size_t count = split(&r, entries);
    bool bare = data[0] & BARE_NODE_ID;
    const struct reload_config config = {
        .instance_name = "overlay.example.org",
        .node_id_length = 16,
        .self_signed_permitted = data[0] & SELF_SIGNED,
        .self_signed_digest = RELOAD_HASH_SHA256,
        .root_certs = entries,
        .root_cert_count = count > 0,
    };
    for (size_t i = 0; i < count; i++) {
        struct reload_cert *certificate;
        if (reload_cert_parse(entries[i], bare, &certificate, &reason) != 0)
            continue;
        lint(entries[i], reload_cert_content(certificate));
        reload_cert_free(certificate);
    }
    if (count > 1)
        check(&config, bare, entries + 1, count - 1);
    return 0;
}
