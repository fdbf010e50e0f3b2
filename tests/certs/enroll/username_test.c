#include "certs/enroll/username.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char *problem(const char *text)
{
    return reload_enroll_username_problem(
        (struct reload_slice){ (const uint8_t *)text, strlen(text) });
}

/* R6940-11.3-14 */
static void names_of_the_usual_form_are_taken(void **state)
{
    static const char *const good[] = {
        "alice@example.com",     "Alice.B@example.com",           "a@b",
        "x+tag@sub.example.org", "o'brien@xn--bcher-kva.example", "1@2.3"
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_null(problem(good[i]));
}

/* R6940-11.3-14 */
static void names_that_could_deceive_are_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "alice",
        "@example.com",
        "alice@",
        "alice@Example.com",
        "a b@c.d",
        ".a@c.d",
        "a.@c.d",
        "a..b@c.d",
        "a@b@c.d",
        "a@c.d.",
        "a@.c.d",
        "a@c..d",
        "a@-c.d",
        "a@c-.d",
        "a@c_d",
        "\xc3\xa4@c.d",
        "a@\xd0\xb0.com",
        "a\x7f@c.d",
        "a\n@c.d",
        "\"a\"@c.d",
        "a@c.d\xe2\x80\xae",
        "<a@c.d>",
        "a@[127.0.0.1]",
        "a@c.d ",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_non_null(problem(bad[i]));
    assert_non_null(reload_enroll_username_problem(
        (struct reload_slice){ (const uint8_t *)"alice\0@example.com", 18 }));
    assert_non_null(reload_enroll_username_problem(
        (struct reload_slice){ (const uint8_t *)"alice@example.com\0", 18 }));
}

static void each_part_has_its_longest_length(void **state)
{
    char name[400];
    (void)state;
    memset(name, 'a', sizeof name);
    memcpy(name + 64, "@b.c", 5);
    assert_null(problem(name));
    memcpy(name + 64, "a@b.c", 6);
    assert_non_null(problem(name));
    memset(name, 'a', sizeof name);
    name[1] = '@';
    for (size_t i = 65; i < 250; i += 64)
        name[i] = '.';
    name[254] = '\0';
    assert_null(problem(name));
    memcpy(name + 254, "a", 2);
    assert_non_null(problem(name));
    memset(name, 'a', sizeof name);
    name[1] = '@';
    name[2 + 64] = '\0';
    assert_non_null(problem(name)); /* a label of 64 */
}

static void folding_lowers_ascii_letters_only(void **state)
{
    uint8_t out[12];
    (void)state;
    reload_enroll_username_fold((struct reload_slice){ (const uint8_t *)"AbZ@[`{}.c9", 11 }, out);
    assert_memory_equal(out, "abz@[`{}.c9", 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_the_usual_form_are_taken),
        cmocka_unit_test(names_that_could_deceive_are_refused),
        cmocka_unit_test(each_part_has_its_longest_length),
        cmocka_unit_test(folding_lowers_ascii_letters_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
