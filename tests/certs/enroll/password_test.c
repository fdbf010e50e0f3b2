#include "certs/enroll/password.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static struct reload_slice of(const char *text)
{
    return (struct reload_slice){ (const uint8_t *)text, strlen(text) };
}

/* R6940-11.3-5 */
static void a_password_is_compared_as_bytes(void **state)
{
    char hash[RELOAD_ENROLL_HASH_MAX], again[RELOAD_ENROLL_HASH_MAX];
    (void)state;
    assert_int_equal(reload_enroll_password_hash(of("p\xc3\xa4ss wort"), 1, hash), 0);
    assert_int_equal(strncmp(hash, "$y$", 3), 0);
    assert_int_equal(reload_enroll_password_hash(of("p\xc3\xa4ss wort"), 1, again), 0);
    assert_string_not_equal(hash, again); /* salted */
    assert_int_equal(reload_enroll_password_verify(of("p\xc3\xa4ss wort"), hash), 0);
    static const char *const wrong[] = {
        "",        "p\xc3\xa4ss wort ", "P\xc3\xa4ss wort", "pa\xcc\x88ss wort", "p\xc3\xa4ss wor",
        "\xff\xfe"
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(reload_enroll_password_verify(of(wrong[i]), hash), RELOAD_E_FORBIDDEN);
    struct reload_slice with_nul = { (const uint8_t *)"p\xc3\xa4ss wort\0x", 12 };
    assert_int_equal(reload_enroll_password_verify(with_nul, hash), RELOAD_E_FORBIDDEN);
    assert_int_equal(reload_enroll_password_verify(of("x"), ""), RELOAD_E_FORBIDDEN);
    assert_int_equal(reload_enroll_password_verify(of("*0"), "*0"), RELOAD_E_FORBIDDEN);
}

/* R6940-11.3-5 */
static void only_utf8_of_some_length_can_be_a_password(void **state)
{
    static const char *const bad[] = { "",
                                       "\x80",
                                       "\xc0\xaf",
                                       "\xe0\x80\xaf",
                                       "\xed\xa0\x80",
                                       "\xf4\x90\x80\x80",
                                       "\xf0\x80\x80\x80",
                                       "\xf5\x80\x80\x80",
                                       "a\xe2\x82",
                                       "\xc3(" };
    static const char *const good[] = { "x", "\xe2\x82\xac", "\xf0\x9f\x94\x91", "\xed\x9f\xbf" };
    char long_one[RELOAD_ENROLL_PASSWORD_MAX + 2], hash[RELOAD_ENROLL_HASH_MAX];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_non_null(reload_enroll_password_problem(of(bad[i])));
        assert_int_equal(reload_enroll_password_hash(of(bad[i]), 1, hash), RELOAD_E_INVALID);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_null(reload_enroll_password_problem(of(good[i])));
    memset(long_one, 'a', sizeof long_one);
    long_one[RELOAD_ENROLL_PASSWORD_MAX] = '\0';
    assert_int_equal(reload_enroll_password_hash(of(long_one), 1, hash), 0);
    assert_int_equal(reload_enroll_password_verify(of(long_one), hash), 0);
    long_one[RELOAD_ENROLL_PASSWORD_MAX - 1] = 'b';
    assert_int_equal(reload_enroll_password_verify(of(long_one), hash), RELOAD_E_FORBIDDEN);
    memset(long_one, 'a', sizeof long_one);
    long_one[RELOAD_ENROLL_PASSWORD_MAX + 1] = '\0';
    assert_non_null(reload_enroll_password_problem(of(long_one)));
    assert_int_equal(reload_enroll_password_hash(of("x"), 0, hash), RELOAD_E_INVALID);
    assert_int_equal(reload_enroll_password_hash(of("x"), 12, hash), RELOAD_E_INVALID);
}

static int read_back(const char *content, size_t len, char out[RELOAD_ENROLL_PASSWORD_MAX + 1])
{
    char path[] = "/tmp/reload-password-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, content, len), (ssize_t)len);
    close(fd);
    int error = reload_enroll_password_read(path, out);
    unlink(path);
    return error;
}

static void a_password_file_gives_its_first_line(void **state)
{
    char out[RELOAD_ENROLL_PASSWORD_MAX + 1], line[600];
    (void)state;
    assert_int_equal(read_back("secret", 6, out), 0);
    assert_string_equal(out, "secret");
    assert_int_equal(read_back(" two words \r\nmore\n", 18, out), 0);
    assert_string_equal(out, " two words ");
    assert_int_equal(read_back("", 0, out), RELOAD_E_INVALID);
    assert_int_equal(read_back("\nx", 2, out), RELOAD_E_INVALID);
    assert_int_equal(read_back("a\0b\n", 4, out), RELOAD_E_INVALID);
    memset(line, 'a', sizeof line);
    line[RELOAD_ENROLL_PASSWORD_MAX] = '\n';
    assert_int_equal(read_back(line, sizeof line, out), 0);
    line[RELOAD_ENROLL_PASSWORD_MAX] = '\r';
    line[RELOAD_ENROLL_PASSWORD_MAX + 1] = '\n';
    assert_int_equal(read_back(line, sizeof line, out), 0);
    for (size_t at = RELOAD_ENROLL_PASSWORD_MAX + 1; at < sizeof line; at++) {
        memset(line, 'a', sizeof line);
        line[at] = '\n';
        assert_int_equal(read_back(line, sizeof line, out), RELOAD_E_INVALID);
    }
    assert_int_equal(reload_enroll_password_read("/nonexistent", out), RELOAD_E_IO);
    assert_int_equal(errno, ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_password_is_compared_as_bytes),
        cmocka_unit_test(only_utf8_of_some_length_can_be_a_password),
        cmocka_unit_test(a_password_file_gives_its_first_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
