#include "usage-sip/gruu.h"

#include "check.h"

#define VECTOR "alice@dht.example.com;gr=ARABI0VniavN7wEjRWeJq83v"

static const uint8_t list[] = { 1,    16,   0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd,
                                0xef, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };

static struct reload_slice list_of(const struct reload_sip_gruu *gruu)
{
    return reload_slice_of(gruu->list, gruu->list_len);
}

/* R7904-6-1 R7904-6-2 */
static void a_gruu_is_the_address_and_the_list_in_base64(void **state)
{
    (void)state;
    struct reload_sip_gruu gruu;
    char out[RELOAD_SIP_GRUU_MAX + 1];
    assert_int_equal(reload_sip_gruu_read(text(VECTOR), 16, &gruu), 0);
    assert_string_equal(gruu.aor.text, "alice@dht.example.com");
    assert_slice_equal(list_of(&gruu), reload_slice_of(list, sizeof list));
    assert_int_equal(reload_sip_gruu_write(&gruu.aor, list_of(&gruu), out), 0);
    assert_string_equal(out, VECTOR);
    assert_int_equal(reload_sip_gruu_read(text("sips:" VECTOR ";x?y"), 16, &gruu), 0);
}

/* R7904-6-2: + and / are used, "~" stands for "=" and is not left out */
static void padding_is_a_tilde_and_is_kept(void **state)
{
    (void)state;
    struct reload_sip_gruu gruu;
    struct reload_sip_aor aor;
    char out[RELOAD_SIP_GRUU_MAX + 1];
    assert_int_equal(reload_sip_aor_read(text("a@b"), &aor), 0);
    const struct {
        struct reload_slice list;
        const char *gruu;
    } good[] = {
        { BYTES(2, 4, 3, 0xff, 0xef, 0xbf), "a@b;gr=AgQD/++/" },
        { BYTES(2, 3, 2, 1, 2), "a@b;gr=AgMCAQI~" },
        { BYTES(2, 2, 1, 7), "a@b;gr=AgIBBw~~" },
        { BYTES(0x80, 1), "a@b;gr=gAE~" },
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_int_equal(reload_sip_gruu_write(&aor, good[i].list, out), 0);
        assert_string_equal(out, good[i].gruu);
        assert_int_equal(reload_sip_gruu_read(text(out), 16, &gruu), 0);
        assert_slice_equal(list_of(&gruu), good[i].list);
    }
}

/* R7904-6-3: the example of the RFC is text, not a list; its syntax holds */
static void the_example_of_the_rfc_decodes_to_twenty_bytes(void **state)
{
    (void)state;
    struct reload_sip_gruu gruu;
    assert_int_equal(
        reload_sip_gruu_read(text("alice@example.com;gr=MDEyMzQ1Njc4OTAxMjM0NTY3ODk~"), 16, &gruu),
        RELOAD_E_NOT_FOUND);
    assert_slice_equal(list_of(&gruu), text("01234567890123456789"));
    assert_string_equal(gruu.aor.text, "alice@example.com");
}

static void a_length_before_the_list_is_understood(void **state)
{
    (void)state;
    struct reload_sip_gruu gruu;
    assert_int_equal(reload_sip_gruu_read(text("a@b;gr=ABIBEAEjRWeJq83vASNFZ4mrze8~"), 16, &gruu),
                     0);
    assert_slice_equal(list_of(&gruu), reload_slice_of(list, sizeof list));
    assert_int_equal(reload_sip_gruu_read(text("a@b;gr=ABMBEAEjRWeJq83vASNFZ4mrze8~"), 16, &gruu),
                     RELOAD_E_NOT_FOUND); /* not the length that it has */
}

static void those_of_rfc_5627_and_nonsense_are_addresses(void **state)
{
    (void)state;
    static const char *const none[] = {
        "a@b",
        "a@b;gr",
        "a@b;gr=",
        "a@b;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
        "a@b;gr=kjh29x97us97d",
        "a@b;gr=AgIBBw==", /* "=" is not "~" */
        "a@b;gr=AgIBBw",   /* padding left out */
        "a@b;gr=AgIB~w~~", /* in the middle */
        "a@b;gr=AgIBBx~~", /* bits that no byte takes */
        "a@b;gr=AgIBBw~~AgIBBw~~",
        "a@b;gr=AgIBBwcH", /* bytes behind the list */
        "a@b;gr=AAAA",
    };
    for (size_t i = 0; i < COUNT(none); i++) {
        struct reload_sip_gruu gruu;
        assert_int_equal(reload_sip_gruu_read(text(none[i]), 16, &gruu), RELOAD_E_NOT_FOUND);
        assert_string_equal(gruu.aor.text, "a@b");
    }
    struct reload_sip_gruu gruu;
    assert_int_equal(reload_sip_gruu_read(text("tel:+49;gr=x"), 16, &gruu), RELOAD_E_UNSUPPORTED);
    assert_int_equal(reload_sip_gruu_read(text("nobody;gr=x"), 16, &gruu), RELOAD_E_INVALID);
}

static void a_list_may_have_512_bytes(void **state)
{
    (void)state;
    uint8_t long_list[RELOAD_SIP_GRUU_LIST_MAX + 3];
    char out[RELOAD_SIP_GRUU_MAX + 8];
    struct reload_sip_gruu gruu;
    struct reload_sip_aor aor;
    assert_int_equal(reload_sip_aor_read(text("a@b"), &aor), 0);
    for (size_t i = 0; i < sizeof long_list; i++)
        long_list[i] = i % 2 ? (uint8_t)i : 0x80;
    assert_int_equal(
        reload_sip_gruu_write(&aor, reload_slice_of(long_list, RELOAD_SIP_GRUU_LIST_MAX), out), 0);
    assert_int_equal(reload_sip_gruu_read(text(out), 16, &gruu), 0);
    assert_int_equal(gruu.list_len, RELOAD_SIP_GRUU_LIST_MAX);
    assert_int_equal(
        reload_sip_gruu_write(&aor, reload_slice_of(long_list, RELOAD_SIP_GRUU_LIST_MAX + 1), out),
        RELOAD_E_LIMIT);
    assert_int_equal(reload_sip_gruu_write(&aor, reload_slice_of(list, 0), out), RELOAD_E_LIMIT);
    /* read: 4 characters more than fit */
    assert_int_equal(
        reload_sip_gruu_write(&aor, reload_slice_of(long_list, RELOAD_SIP_GRUU_LIST_MAX), out), 0);
    size_t len = strlen(out);
    memcpy(out + len - 1, "AAAAA", 6);
    assert_int_equal(reload_sip_gruu_read(text(out), 16, &gruu), RELOAD_E_NOT_FOUND);
}

static void writes_back_what_it_reads(struct reload_slice damaged)
{
    struct reload_sip_gruu gruu, again;
    char out[RELOAD_SIP_GRUU_MAX + 1];
    if (reload_sip_gruu_read(damaged, 16, &gruu))
        return;
    assert_int_equal(reload_sip_gruu_write(&gruu.aor, list_of(&gruu), out), 0);
    assert_int_equal(reload_sip_gruu_read(text(out), 16, &again), 0);
    assert_slice_equal(list_of(&again), list_of(&gruu));
}

static void damaged_gruus_are_read_or_refused(void **state)
{
    (void)state;
    assert_true(check_damaged(text(VECTOR), writes_back_what_it_reads) > 600);
    check_damaged(text("sip:a@b;gr=ABIBEAEjRWeJq83vASNFZ4mrze8~;x?y"), writes_back_what_it_reads);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_gruu_is_the_address_and_the_list_in_base64),
        cmocka_unit_test(padding_is_a_tilde_and_is_kept),
        cmocka_unit_test(the_example_of_the_rfc_decodes_to_twenty_bytes),
        cmocka_unit_test(a_length_before_the_list_is_understood),
        cmocka_unit_test(those_of_rfc_5627_and_nonsense_are_addresses),
        cmocka_unit_test(a_list_may_have_512_bytes),
        cmocka_unit_test(damaged_gruus_are_read_or_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
