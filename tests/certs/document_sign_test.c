#include "tests/certs/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certs/base64.h"
#include "certs/scan.h"
#include "certs/text.h"

/* Who signed a document, and over which bytes (RFC 6940 s11.1). */

struct signing {
    struct fixture f;
    struct reload_cert_identity *signer, *kind_signer, *stranger;
    struct reload_node_id ids[2];
    struct reload_kind_config kind;
    struct reload_cert_document_policy policy; /* of who signs */
    struct reload_cert_reason why;
};

static int setup(void **state)
{
    struct signing *s = calloc(1, sizeof *s);
    fixture_init(&s->f, RELOAD_CERT_KEY_EC);
    s->signer = new_identity(&s->f, RELOAD_CERT_KEY_EC, 1, (struct wish){ 0 });
    s->kind_signer = new_identity(&s->f, RELOAD_CERT_KEY_RSA, 2, (struct wish){ 0 });
    s->stranger = new_identity(&s->f, RELOAD_CERT_KEY_EC, 3, (struct wish){ 0 });
    s->ids[0] = node_id(1);
    s->ids[1] = node_id(2);
    s->kind = (struct reload_kind_config){ .id = 0xF0000001,
                                           .data_model = RELOAD_MODEL_SINGLE,
                                           .access_control = "USER-MATCH",
                                           .max_count = 1,
                                           .max_size = 10 };
    s->f.config.configuration_signers = &s->ids[0];
    s->f.config.configuration_signer_count = 1;
    s->f.config.kind_signers = &s->ids[1];
    s->f.config.kind_signer_count = 1;
    s->f.config.kinds = &s->kind;
    s->f.config.kind_count = 1;
    s->f.config.sequence = 5;
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct signing *s = *state;
    reload_cert_identity_free(s->signer);
    reload_cert_identity_free(s->kind_signer);
    reload_cert_identity_free(s->stranger);
    fixture_fini(&s->f);
    free(s);
    return 0;
}

static struct reload_cert_bytes sign(struct signing *s, struct reload_slice xml, uint16_t sequence)
{
    struct reload_cert_bytes out;
    if (reload_cert_document_sign(xml, NULL, &s->policy, sequence, s->signer, s->kind_signer, &out,
                                  &s->why))
        fail_msg("%s", s->why.text);
    return out;
}

static struct reload_cert_bytes written(struct signing *s, uint16_t sequence)
{
    struct reload_cert_bytes xml;
    assert_int_equal(reload_cert_document_write(&s->f.config, &xml), 0);
    struct reload_cert_bytes out = sign(s, reload_cert_bytes_slice(&xml), sequence);
    reload_cert_bytes_fini(&xml);
    return out;
}

static int load(struct signing *s, const struct reload_cert_bytes *d,
                const struct reload_cert_document_policy *policy, struct reload_config **out)
{
    s->why.text[0] = '\0';
    return reload_cert_document_load(reload_cert_bytes_slice(d), OVERLAY, policy, NOW_MS, out,
                                     &s->why);
}

static int update(struct signing *s, const struct reload_cert_bytes *d,
                  const struct reload_config *current, struct reload_config **out)
{
    s->why.text[0] = '\0';
    return reload_cert_document_update(reload_cert_bytes_slice(d), current, NULL, NOW_MS, out,
                                       &s->why);
}

static struct reload_cert_bytes replaced(const struct reload_cert_bytes *d, const char *from,
                                         const char *to)
{
    struct reload_cert_text t = { 0 };
    struct reload_cert_bytes out;
    const uint8_t *at = memmem(d->p, d->n, from, strlen(from));
    assert_non_null(at);
    size_t head = (size_t)(at - d->p), tail = head + strlen(from);
    reload_cert_text_add(&t, reload_slice_of(d->p, head));
    reload_cert_text_string(&t, to);
    reload_cert_text_add(&t, reload_slice_of(d->p + tail, d->n - tail));
    assert_int_equal(reload_cert_text_take(&t, &out), 0);
    return out;
}

/* R6940-11.1-33 R6940-11.1-34 R6940-11.1-35 R6940-11.1-32 R6940-11.1.1-4 */
static void a_signed_document_is_accepted_and_every_changed_byte_of_it_refused(void **state)
{
    struct signing *s = *state;
    struct reload_cert_bytes d = written(s, 6);
    struct reload_config *c;
    if (load(s, &d, NULL, &c))
        fail_msg("%s", s->why.text);
    assert_int_equal(c->sequence, 6);
    assert_true(reload_slice_equal(c->document, reload_cert_bytes_slice(&d)));
    reload_cert_document_free(c);

    const uint8_t *start = memmem(d.p, d.n, "<configuration ", 15);
    const uint8_t *end = memmem(d.p, d.n, "</configuration>", 16);
    for (const uint8_t *p = start; p < end + 16; p++) {
        size_t at = (size_t)(p - d.p);
        uint8_t good = d.p[at];
        d.p[at] = good == ' ' ? '\t' : good == '\n' ? ' ' : (uint8_t)(good ^ 1);
        assert_int_not_equal(load(s, &d, NULL, &c), 0);
        d.p[at] = good;
    }
    assert_int_equal(load(s, &d, NULL, &c), 0);
    reload_cert_document_free(c);
    reload_cert_bytes_fini(&d);
}

/* Bytes outside the configuration are nobody's: they may change. */
static void what_stands_around_the_configuration_is_not_signed(void **state)
{
    struct signing *s = *state;
    struct reload_cert_bytes d = written(s, 6);
    struct reload_cert_bytes e = replaced(&d, "<overlay", "<!-- <configuration> --><overlay");
    struct reload_cert_bytes f = replaced(&e, "</overlay>", "<?x <signature>?></overlay>\n\n");
    struct reload_config *c;
    assert_int_equal(load(s, &f, NULL, &c), 0);
    reload_cert_document_free(c);
    reload_cert_bytes_fini(&d);
    reload_cert_bytes_fini(&e);
    reload_cert_bytes_fini(&f);
}

static void an_unsigned_first_document_is_refused_unless_the_policy_lets_it_pass(void **state)
{
    struct signing *s = *state;
    struct reload_cert_bytes xml;
    struct reload_config *c;
    const struct reload_cert_document_policy lax = { .allow_unsigned = true };
    assert_int_equal(reload_cert_document_write(&s->f.config, &xml), 0);
    assert_int_equal(load(s, &xml, NULL, &c), RELOAD_E_SIGNATURE);
    assert_non_null(strstr(s->why.text, "not signed"));
    assert_int_equal(load(s, &xml, &lax, &c), 0);
    reload_cert_document_free(c);
    struct reload_cert_bytes junk =
        replaced(&xml, "</overlay>", "<signature>AAAA</signature></overlay>");
    assert_int_equal(load(s, &junk, NULL, &c), RELOAD_E_SIGNATURE);
    reload_cert_bytes_fini(&junk);
    reload_cert_bytes_fini(&xml);
}

/* R6940-11.1-6 R6940-11.1-7: one of several signatures is enough; that of another configuration
 * never is. */
static void a_signature_counts_only_behind_its_own_configuration(void **state)
{
    struct signing *s = *state;
    struct reload_cert_bytes d = written(s, 6);
    struct reload_config *c;
    struct reload_cert_bytes two =
        replaced(&d, "<signature>", "<signature>AAAA</signature><signature>");
    assert_int_equal(load(s, &two, NULL, &c), 0);
    reload_cert_document_free(c);
    struct reload_cert_bytes moved =
        replaced(&d, "<signature>",
                 "<configuration instance-name=\"o\"><self-signed-permitted digest=\"sha1\">true"
                 "</self-signed-permitted></configuration><signature>");
    assert_int_equal(load(s, &moved, NULL, &c), RELOAD_E_SIGNATURE);
    reload_cert_bytes_fini(&two);
    reload_cert_bytes_fini(&moved);
    reload_cert_bytes_fini(&d);
}

static void only_listed_signers_can_sign_and_their_signatures_are_checked(void **state)
{
    struct signing *s = *state;
    struct reload_cert_bytes xml, out;
    struct reload_config *c;
    assert_int_equal(reload_cert_document_write(&s->f.config, &xml), 0);
    struct reload_slice bytes = reload_cert_bytes_slice(&xml);
    assert_int_equal(
        reload_cert_document_sign(bytes, NULL, NULL, 6, s->stranger, s->kind_signer, &out, &s->why),
        RELOAD_E_FORBIDDEN);
    assert_int_equal(
        reload_cert_document_sign(bytes, NULL, NULL, 6, s->signer, s->signer, &out, &s->why),
        RELOAD_E_FORBIDDEN);
    /* a stranger that signs all the same: listed while signing, taken off afterwards by swapping
     * the id */
    struct reload_node_id theirs = node_id(3);
    s->f.config.configuration_signers = &theirs;
    struct reload_cert_bytes other, signed_by_other;
    assert_int_equal(reload_cert_document_write(&s->f.config, &other), 0);
    assert_int_equal(reload_cert_document_sign(reload_cert_bytes_slice(&other), NULL, NULL, 9,
                                               s->stranger, s->kind_signer, &signed_by_other,
                                               &s->why),
                     0);
    assert_int_equal(load(s, &signed_by_other, NULL, &c), 0); /* as a first document it stands */
    reload_cert_document_free(c);
    s->f.config.configuration_signers = &s->ids[0];
    struct reload_cert_bytes first = written(s, 6);
    struct reload_config *current;
    assert_int_equal(load(s, &first, NULL, &current), 0);
    /* R6940-11.1-36 R6940-6.5.4.2-3 R6940-4.1-1: as the next one it does not */
    assert_int_equal(update(s, &signed_by_other, current, &c), RELOAD_E_SIGNATURE);
    assert_non_null(strstr(s->why.text, "no configuration-signer"));
    reload_cert_document_free(current);
    reload_cert_bytes_fini(&first);
    reload_cert_bytes_fini(&other);
    reload_cert_bytes_fini(&signed_by_other);
    reload_cert_bytes_fini(&xml);
}

/* R6940-6.5.4.2-2 R6940-6.3.2.1-2 */
static void
the_next_document_has_a_newer_sequence_and_the_same_name_and_has_not_expired(void **state)
{
    struct signing *s = *state;
    static const struct {
        uint16_t from, to;
        int error;
    } steps[] = { { 6, 7, 0 },
                  { 6, 6, RELOAD_E_TOO_OLD },
                  { 6, 5, RELOAD_E_TOO_OLD },
                  { 65534, 0, 0 },
                  { 0, 65534, RELOAD_E_TOO_OLD },
                  { 0, 32767, 0 },
                  { 0, 32768, RELOAD_E_TOO_OLD } };
    struct reload_config *current, *next;
    for (size_t i = 0; i < COUNT(steps); i++) {
        struct reload_cert_bytes a = written(s, steps[i].from), b = written(s, steps[i].to);
        assert_int_equal(load(s, &a, NULL, &current), 0);
        assert_int_equal(update(s, &b, current, &next), steps[i].error);
        reload_cert_document_free(next);
        reload_cert_document_free(current);
        reload_cert_bytes_fini(&a);
        reload_cert_bytes_fini(&b);
    }
    struct reload_cert_bytes a = written(s, 6);
    assert_int_equal(load(s, &a, NULL, &current), 0);
    s->f.config.expiration_ms = NOW_MS;
    struct reload_cert_bytes old = written(s, 7);
    assert_int_equal(load(s, &old, NULL, &next), RELOAD_E_EXPIRED);
    assert_non_null(strstr(s->why.text, "expired"));
    assert_int_equal(update(s, &old, current, &next), RELOAD_E_EXPIRED);
    s->f.config.expiration_ms = NOW_MS + 1000;
    struct reload_cert_bytes fresh = written(s, 7);
    assert_int_equal(load(s, &fresh, NULL, &next), 0);
    reload_cert_document_free(next);
    s->f.config.instance_name = "another.example.org";
    struct reload_cert_bytes other = written(s, 8);
    assert_int_equal(update(s, &other, current, &next), RELOAD_E_DECODE);
    reload_cert_document_free(current);
    reload_cert_bytes_fini(&a);
    reload_cert_bytes_fini(&old);
    reload_cert_bytes_fini(&fresh);
    reload_cert_bytes_fini(&other);
}

/* R6940-11.1-26 R6940-11.1-37: a node leaves for what it cannot meet, so that must be its overlay's
 * next document: neither an older one nor another's. */
static void only_a_newer_document_that_is_signed_is_called_unsupported(void **state)
{
    struct signing *s = *state;
    struct reload_cert_bytes first = written(s, 6);
    struct reload_config *current, *next;
    assert_int_equal(load(s, &first, NULL, &current), 0);
    static const char *const extensions[] = { "urn:example:new" };
    s->f.config.mandatory_extensions = extensions;
    s->f.config.mandatory_extension_count = 1;
    s->policy =
        (struct reload_cert_document_policy){ .extensions = extensions, .extension_count = 1 };
    static const struct {
        uint16_t sequence;
        int error;
    } cases[] = { { 5, RELOAD_E_TOO_OLD }, { 6, RELOAD_E_TOO_OLD }, { 7, RELOAD_E_UNSUPPORTED } };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct reload_cert_bytes d = written(s, cases[i].sequence);
        assert_int_equal(update(s, &d, current, &next), cases[i].error);
        struct reload_cert_bytes forged = replaced(&d, "urn:example:new", "urn:example:old");
        assert_int_equal(update(s, &forged, current, &next), RELOAD_E_SIGNATURE);
        reload_cert_bytes_fini(&forged);
        reload_cert_bytes_fini(&d);
    }
    reload_cert_document_free(current);
    reload_cert_bytes_fini(&first);
}

/* R6940-11.1-33: also when the configuration around it is signed well. */
static void a_kind_block_without_a_kind_signers_signature_is_refused(void **state)
{
    struct signing *s = *state;
    struct reload_cert_bytes d = written(s, 6), out;
    struct reload_config *c;
    const uint8_t *from = memmem(d.p, d.n, "<kind-signature>", 16);
    const uint8_t *to = memmem(d.p, d.n, "</kind-signature>", 17);
    char *whole = reload_strndup((const char *)from, (size_t)(to - from) + 17);
    struct reload_cert_bytes bare = replaced(&d, whole, "");
    assert_int_equal(load(s, &bare, NULL, &c), RELOAD_E_SIGNATURE); /* the outer signature broke */
    /* the signer of configurations is no kind-signer: sign its kinds, then list the other again */
    s->f.config.kind_signers = &s->ids[0];
    struct reload_cert_bytes xml;
    assert_int_equal(reload_cert_document_write(&s->f.config, &xml), 0);
    assert_int_equal(reload_cert_document_sign(reload_cert_bytes_slice(&xml), NULL, NULL, 6,
                                               s->signer, s->signer, &out, &s->why),
                     0);
    struct reload_config *current, *next;
    assert_int_equal(load(s, &out, NULL, &current), 0);
    struct reload_slice block = reload_config_kind(current, 0xF0000001)->block;
    struct reload_config *good;
    assert_int_equal(load(s, &d, NULL, &good), 0);
    /* R6940-6.5.4.2-4 */
    assert_int_equal(
        reload_cert_document_update_kinds(&block, 1, good, NULL, NOW_MS, &next, &s->why),
        RELOAD_E_SIGNATURE);
    assert_non_null(strstr(s->why.text, "no kind-signer"));
    reload_cert_document_free(current);
    reload_cert_document_free(good);
    reload_free(whole);
    reload_cert_bytes_fini(&bare);
    reload_cert_bytes_fini(&d);
    reload_cert_bytes_fini(&xml);
    reload_cert_bytes_fini(&out);
}

static struct reload_cert_bytes block(struct signing *s, const struct reload_cert_identity *by,
                                      uint32_t id, uint32_t max_size)
{
    struct reload_kind_config kind = s->kind;
    struct reload_cert_bytes xml, out;
    kind.id = id;
    kind.max_size = max_size;
    assert_int_equal(reload_cert_kind_write(&kind, &xml), 0);
    assert_int_equal(reload_cert_kind_block_sign(reload_cert_bytes_slice(&xml), by, &out, NULL), 0);
    reload_cert_bytes_fini(&xml);
    return out;
}

/* R6940-6.5.4.1-3 R6940-6.5.4.2-4 R6940-6.5.4.2-5 R6940-11.1-39 R6940-11.1-34 */
static void
kind_blocks_by_themselves_add_and_replace_kinds_but_only_by_the_same_signer(void **state)
{
    struct signing *s = *state;
    struct reload_cert_bytes d = written(s, 6);
    struct reload_node_id both[] = { node_id(2), node_id(1) };
    struct reload_config *current, *next;
    assert_int_equal(load(s, &d, NULL, &current), 0);
    current->kind_signers = both;
    current->kind_signer_count = 2;
    struct reload_cert_bytes changed = block(s, s->kind_signer, 0xF0000001, 99);
    struct reload_cert_bytes added = block(s, s->signer, 0xF0000007, 7);
    struct reload_cert_bytes stolen = block(s, s->signer, 0xF0000001, 98);
    struct reload_slice blocks[] = { reload_cert_bytes_slice(&changed),
                                     reload_cert_bytes_slice(&added) };
    if (reload_cert_document_update_kinds(blocks, 2, current, NULL, NOW_MS, &next, &s->why))
        fail_msg("%s", s->why.text);
    assert_int_equal(reload_config_kind(next, 0xF0000001)->max_size, 99);
    assert_int_equal(reload_config_kind(next, 0xF0000007)->max_size, 7);
    assert_int_equal(next->kind_count, current->kind_count + 1);
    assert_int_equal(reload_config_kind(current, 0xF0000001)->max_size, 10); /* untouched */
    assert_int_equal(next->sequence, current->sequence);
    assert_true(reload_slice_equal(next->document, current->document));
    reload_cert_document_free(next);

    struct reload_slice one = reload_cert_bytes_slice(&stolen);
    assert_int_equal(
        reload_cert_document_update_kinds(&one, 1, current, NULL, NOW_MS, &next, &s->why),
        RELOAD_E_FORBIDDEN);
    for (size_t bit = 0; bit < 8 * changed.n; bit += 3) {
        changed.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(
            reload_cert_document_update_kinds(blocks, 1, current, NULL, NOW_MS, &next, NULL), 0);
        changed.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t cut = 0; cut < changed.n; cut++) {
        struct reload_slice part = { changed.p, cut };
        assert_int_not_equal(
            reload_cert_document_update_kinds(&part, 1, current, NULL, NOW_MS, &next, NULL), 0);
    }
    reload_cert_document_free(current);
    reload_cert_bytes_fini(&changed);
    reload_cert_bytes_fini(&added);
    reload_cert_bytes_fini(&stolen);
    reload_cert_bytes_fini(&d);
}

static void signing_again_changes_nothing_but_sequence_and_signatures(void **state)
{
    struct signing *s = *state;
    struct reload_cert_bytes a = written(s, 6);
    struct reload_cert_bytes b = replaced(&a, "<no-ice>", "<!-- </configuration> -->\t<no-ice\n>");
    struct reload_cert_bytes c = sign(s, reload_cert_bytes_slice(&b), 7);
    struct reload_config *config;
    assert_int_equal(load(s, &c, NULL, &config), 0);
    assert_int_equal(config->sequence, 7);
    reload_cert_document_free(config);
    assert_non_null(memmem(c.p, c.n, "<!-- </configuration> -->\t<no-ice\n>", 35));
    /* one signature each, in place of the old one */
    struct reload_cert_element overlay, element;
    size_t at = 0, signatures = 0;
    assert_int_equal(reload_cert_scan_nth(reload_cert_bytes_slice(&c), 0, &overlay), 0);
    while (!reload_cert_scan_child(overlay.content, &at, &element))
        signatures += reload_cert_scan_is(&element, "signature");
    assert_int_equal(signatures, 1);
    const uint8_t *one = memmem(c.p, c.n, "<kind-signature>", 16);
    assert_non_null(one);
    assert_null(memmem(one + 1, c.n - (size_t)(one + 1 - c.p), "<kind-signature>", 16));
    reload_cert_bytes_fini(&a);
    reload_cert_bytes_fini(&b);
    reload_cert_bytes_fini(&c);
}

/* A document in other clothes: prefixes, no sequence, two configurations. */
static void a_document_with_prefixes_can_be_signed_and_read(void **state)
{
    struct signing *s = *state;
    struct reload_cert_text t = { 0 };
    struct reload_cert_bytes xml, out;
    struct reload_config *c;
    reload_cert_text_string(
        &t, "<p:overlay xmlns:p='urn:ietf:params:xml:ns:p2p:config-base'>"
            "<p:configuration instance-name='first'><p:self-signed-permitted digest='sha1'>true"
            "</p:self-signed-permitted></p:configuration>"
            "<p:configuration\n instance-name='" OVERLAY "'><p:root-cert>");
    reload_cert_text_base64(&t, s->f.root);
    reload_cert_text_string(
        &t, "</p:root-cert><p:configuration-signer>01010101010101010101010101010101"
            "</p:configuration-signer><p:kind-signer>02020202020202020202020202020202"
            "</p:kind-signer><p:required-kinds><p:kind-block><p:kind id='4026531841'><p:data-model>"
            "SINGLE</p:data-model><p:access-control>USER-MATCH</p:access-control><p:max-count>1"
            "</p:max-count><p:max-size>1</p:max-size></p:kind></p:kind-block></p:required-kinds>"
            "</p:configuration></p:overlay>");
    assert_int_equal(reload_cert_text_take(&t, &xml), 0);
    assert_int_equal(reload_cert_document_sign(reload_cert_bytes_slice(&xml), OVERLAY, NULL, 3,
                                               s->signer, s->kind_signer, &out, &s->why),
                     0);
    if (load(s, &out, NULL, &c))
        fail_msg("%s", s->why.text);
    assert_int_equal(c->sequence, 3);
    assert_int_equal(reload_config_kind(c, 0xF0000001)->max_size, 1);
    reload_cert_document_free(c);
    reload_cert_bytes_fini(&xml);
    reload_cert_bytes_fini(&out);
}

static void updates_without_memory_fail_and_leak_nothing(void **state)
{
    struct signing *s = *state;
    struct reload_cert_bytes a = written(s, 6), b = written(s, 7);
    struct reload_cert_bytes k = block(s, s->kind_signer, 0xF0000001, 99);
    struct reload_slice one = reload_cert_bytes_slice(&k);
    struct reload_config *current, *next;
    assert_int_equal(load(s, &a, NULL, &current), 0);
    for (int what = 0; what < 2; what++) {
        bool done = false;
        for (unsigned long n = 1; !done && n < 1000; n++) {
            reload_alloc_fail_at(n);
            int error = what ? reload_cert_document_update_kinds(&one, 1, current, NULL, NOW_MS,
                                                                 &next, NULL)
                             : update(s, &b, current, &next);
            reload_alloc_fail_at(0);
            done = error == 0;
            assert_true(done || !next);
            reload_cert_document_free(next);
        }
        assert_true(done);
    }
    reload_cert_document_free(current);
    reload_cert_bytes_fini(&a);
    reload_cert_bytes_fini(&b);
    reload_cert_bytes_fini(&k);
}

static void base64_is_read_with_white_space_and_nothing_else_between(void **state)
{
    (void)state;
    struct reload_cert_bytes out;
    static const char *const good[][2] = { { "Zg==", "f" },
                                           { "Zm8=", "fo" },
                                           { "Zm9v", "foo" },
                                           { " Z\nm9 v\tYg = = ", "foob" },
                                           { "Zm9vYmE=", "fooba" } };
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_int_equal(reload_cert_base64_decode(text(good[i][0]), &out), 0);
        assert_true(reload_slice_equal(reload_cert_bytes_slice(&out), text(good[i][1])));
        reload_cert_bytes_fini(&out);
    }
    static const char *const bad[] = { "",     "Z",     "Zg",       "Zg=",  "Zh==",
                                       "Zm9=", "Zm9v=", "Zg==Zg==", "Zm-_", "====" };
    for (size_t i = 0; i < COUNT(bad); i++)
        assert_int_equal(reload_cert_base64_decode(text(bad[i]), &out), RELOAD_E_DECODE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_signed_document_is_accepted_and_every_changed_byte_of_it_refused),
        TEST(what_stands_around_the_configuration_is_not_signed),
        TEST(an_unsigned_first_document_is_refused_unless_the_policy_lets_it_pass),
        TEST(a_signature_counts_only_behind_its_own_configuration),
        TEST(only_listed_signers_can_sign_and_their_signatures_are_checked),
        TEST(the_next_document_has_a_newer_sequence_and_the_same_name_and_has_not_expired),
        TEST(only_a_newer_document_that_is_signed_is_called_unsupported),
        TEST(a_kind_block_without_a_kind_signers_signature_is_refused),
        TEST(kind_blocks_by_themselves_add_and_replace_kinds_but_only_by_the_same_signer),
        TEST(signing_again_changes_nothing_but_sequence_and_signatures),
        TEST(a_document_with_prefixes_can_be_signed_and_read),
        TEST(updates_without_memory_fail_and_leak_nothing),
        cmocka_unit_test(base64_is_read_with_white_space_and_nothing_else_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
