#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "usage-sip/reason.h"

static int status_of(const char *text)
{
    size_t len = strlen(text);
    char *copy = malloc(len ? len : 1); /* without a NUL behind it */
    memcpy(copy, text, len);
    int status = reload_sip_reason_read(reload_slice_of(copy, len));
    free(copy);
    return status;
}

static void the_cause_of_sip_is_read_and_nothing_else(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int status;
    } cases[] = {
        { "SIP ;cause=488", 488 },
        { "sip;CAUSE=603;text=\"no, thanks\"", 603 },
        { "SIP ; text=\"a; cause=500 \\\" ; cause=501\" ; cause = 486", 486 },
        { "SIP;x;y=;cause=300", 300 },
        { "Q.850 ;cause=16", 0 },
        { "SIP", 0 },
        { "", 0 },
        { ";cause=488", 0 },
        { "SIP;cause", 0 },
        { "SIP;cause=", 0 },
        { "SIP ;cause=200 ;text=\"Call completed elsewhere\"", 200 },
        { "SIP;cause=199", 0 },
        { "SIP;cause=700", 0 },
        { "SIP;cause=-488", 0 },
        { "SIP;cause=99999999999999999999488", 0 },
        { "SIP;text=\"no end;cause=488", 0 },
        { "SIP;text=\"\\", 0 },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(status_of(cases[i].text), cases[i].status);
}

static void what_is_written_is_read_back(void **state)
{
    (void)state;
    char text[RELOAD_SIP_REASON_TEXT];
    for (int status = 200; status < 700; status++) {
        reload_sip_reason_write(status, text);
        assert_int_equal(status_of(text), status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cause_of_sip_is_read_and_nothing_else),
        cmocka_unit_test(what_is_written_is_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
