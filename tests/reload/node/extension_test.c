/* Message extensions: RFC 6940 s6.3.3. */
#include "tests/reload/node/rig.h"

/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <cmocka.h>
/* clang-format on */

static uint16_t extension_error;

static uint16_t see_extension(void *context, const struct reload_message *message,
                              const struct reload_message_extension *extension)
{
    (void)message;
    ++*(unsigned *)context;
    assert_int_equal(extension->type, 0x7777);
    return extension_error;
}

/* R6940-6.3.3-4 R6940-6.3.3-5 */
static void unknown_extensions_are_refused_only_when_critical(void **state)
{
    static uint8_t extension[] = { 0x77, 0x77, 1, 0, 0, 0, 1, 0xaa };
    struct rig *rig = *state;
    struct rig_message m = rig_update(rig, 0, 0);
    m.code = RELOAD_PING_REQ;
    m.extensions = reload_slice_of(extension, sizeof extension);
    rig_receive(rig, 1, &m);
    struct reload_message out = rig_sent(rig, 0, NULL);
    assert_int_equal(rig_error_code(&out), RELOAD_ERROR_UNKNOWN_EXTENSION);
    assert_int_equal(rig_dropped(rig, RELOAD_DROP_EXTENSION), 1);
    extension[2] = 0;
    rig_receive(rig, 1, &m);
    assert_int_equal(rig_sent(rig, 1, NULL).message_code, RELOAD_PING_ANS);
    extension[2] = 1;
}

static void a_registered_extension_is_seen_and_may_refuse(void **state)
{
    static const uint8_t extension[] = { 0x77, 0x77, 1, 0, 0, 0, 1, 0xaa };
    unsigned seen = 0;
    const struct reload_extension_ops known = { 0x7777, see_extension, &seen };
    const struct reload_extension_ops *const extensions[] = { &known };
    struct rig rig;
    (void)state;
    rig_init(&rig);
    rig.node_config.extensions = extensions;
    rig.node_config.extension_count = 1;
    rig_start(&rig);
    rig_link(&rig, 0);
    extension_error = 0;
    struct rig_message m = rig_update(&rig, 0, 0);
    m.code = RELOAD_PING_REQ;
    m.extensions = reload_slice_of(extension, sizeof extension);
    rig_receive(&rig, 1, &m);
    assert_int_equal(seen, 1);
    assert_int_equal(rig_sent(&rig, 0, NULL).message_code, RELOAD_PING_ANS);
    extension_error = RELOAD_ERROR_FORBIDDEN;
    rig_receive(&rig, 1, &m);
    struct reload_message out = rig_sent(&rig, 1, NULL);
    assert_int_equal(rig_error_code(&out), RELOAD_ERROR_FORBIDDEN);
    rig_fini(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        RIG(unknown_extensions_are_refused_only_when_critical),
        cmocka_unit_test(a_registered_extension_is_seen_and_may_refuse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
