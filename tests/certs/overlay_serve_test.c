#include "tests/certs/fixture.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "certs/ca.h"
#include "certs/file.h"
#include "certs/overlay_dir.h"

#define URL "https://192.0.2.7:8443/enroll"

static struct reload_cert_bytes read_in(const char *folder, const char *name)
{
    char *path = reload_cert_file_path(folder, name);
    struct reload_cert_bytes bytes = slurp(path);
    reload_free(path);
    return bytes;
}

static char *new_overlay(bool self_signed)
{
    char *folder = new_folder();
    struct reload_cert_overlay_options o = reload_cert_overlay_options_default(OVERLAY, NOW_MS);
    o.config.self_signed_permitted = self_signed;
    assert_int_equal(reload_cert_overlay_create(folder, &o, NULL), 0);
    return folder;
}

static X509 *https_certificate(const char *folder)
{
    struct reload_cert_bytes pem = read_in(folder, RELOAD_CERT_HTTPS_PEM), der;
    assert_int_equal(reload_cert_from_pem(reload_cert_bytes_slice(&pem), &der), 0);
    const unsigned char *p = der.p;
    X509 *x509 = d2i_X509(NULL, &p, (long)der.n);
    assert_non_null(x509);
    reload_cert_bytes_fini(&pem);
    reload_cert_bytes_fini(&der);
    return x509;
}

/* R6940-11.2-3, R6940-11.3-3 */
static void the_https_certificate_comes_to_cover_each_address_it_is_served_at(void **state)
{
    (void)state;
    char *folder = new_overlay(false);
    static const char *const hosts[] = { "192.0.2.7", "2001:db8::7", "reload.example.net" };
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(reload_cert_overlay_serve_host(folder, hosts[i], NOW_MS, NULL), 0);
    X509 *x509 = https_certificate(folder);
    assert_int_equal(X509_check_host(x509, OVERLAY, 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(x509, hosts[0], 0), 1);
    assert_int_equal(X509_check_ip_asc(x509, hosts[1], 0), 1);
    assert_int_equal(X509_check_host(x509, hosts[2], 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(x509, "192.0.2.8", 0), 0);
    X509_free(x509);

    struct reload_cert_bytes before = read_in(folder, RELOAD_CERT_HTTPS_PEM);
    assert_int_equal(reload_cert_overlay_serve_host(folder, hosts[0], NOW_MS, NULL), 0);
    struct reload_cert_bytes after = read_in(folder, RELOAD_CERT_HTTPS_PEM);
    assert_true(
        reload_slice_equal(reload_cert_bytes_slice(&before), reload_cert_bytes_slice(&after)));
    reload_cert_bytes_fini(&after);

    struct reload_cert_reason why = { "" };
    assert_int_not_equal(reload_cert_overlay_serve_host(folder, "not a host", NOW_MS, &why), 0);
    assert_true(why.text[0]);
    after = read_in(folder, RELOAD_CERT_HTTPS_PEM);
    assert_true(
        reload_slice_equal(reload_cert_bytes_slice(&before), reload_cert_bytes_slice(&after)));
    reload_cert_bytes_fini(&before);
    reload_cert_bytes_fini(&after);
    remove_folder(folder);
}

static struct reload_config *load(const char *folder)
{
    struct reload_cert_bytes document = read_in(folder, RELOAD_CERT_OVERLAY_XML);
    struct reload_config *config;
    assert_int_equal(reload_cert_document_load(reload_cert_bytes_slice(&document), OVERLAY, NULL,
                                               NOW_MS, &config, NULL),
                     0);
    reload_cert_bytes_fini(&document);
    return config;
}

/* R6940-11.1-12, R6940-11.3-1 */
static void a_document_without_an_enrollment_server_gets_one_and_keeps_it(void **state)
{
    (void)state;
    char *folder = new_overlay(false);
    struct reload_config *config = load(folder);
    uint16_t sequence = config->sequence;
    assert_int_equal(config->enrollment_server_count, 0);
    reload_cert_document_free(config);

    bool changed = false;
    assert_int_equal(reload_cert_overlay_serve_url(folder, NULL, URL, NOW_MS, &changed, NULL), 0);
    assert_true(changed);
    assert_int_equal(reload_cert_overlay_serve_url(folder, NULL, "https://else.example/", NOW_MS,
                                                   &changed, NULL),
                     0);
    assert_false(changed);
    config = load(folder);
    assert_int_equal(config->sequence, sequence + 1);
    assert_int_equal(config->enrollment_server_count, 1);
    assert_string_equal(config->enrollment_servers[0], URL);
    reload_cert_document_free(config);
    remove_folder(folder);
}

/* R6940-11.1-13, R6940-11.1-12 */
static void a_self_signed_overlay_and_a_bad_url_change_nothing(void **state)
{
    (void)state;
    bool changed = true;
    char *folder = new_overlay(true);
    assert_int_equal(reload_cert_overlay_serve_url(folder, NULL, URL, NOW_MS, &changed, NULL), 0);
    assert_false(changed);
    remove_folder(folder);

    folder = new_overlay(false);
    struct reload_cert_bytes before = read_in(folder, RELOAD_CERT_OVERLAY_XML);
    static const char *const bad[] = { "http://192.0.2.7/enroll", "https://x/<a/>", "" };
    for (size_t i = 0; i < 3; i++)
        assert_int_not_equal(
            reload_cert_overlay_serve_url(folder, NULL, bad[i], NOW_MS, &changed, NULL), 0);
    struct reload_cert_bytes after = read_in(folder, RELOAD_CERT_OVERLAY_XML);
    assert_true(
        reload_slice_equal(reload_cert_bytes_slice(&before), reload_cert_bytes_slice(&after)));
    reload_cert_bytes_fini(&before);
    reload_cert_bytes_fini(&after);
    remove_folder(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_https_certificate_comes_to_cover_each_address_it_is_served_at),
        cmocka_unit_test(a_document_without_an_enrollment_server_gets_one_and_keeps_it),
        cmocka_unit_test(a_self_signed_overlay_and_a_bad_url_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
