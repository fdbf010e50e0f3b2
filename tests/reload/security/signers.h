#ifndef TESTS_RELOAD_SECURITY_SIGNERS_H
#define TESTS_RELOAD_SECURITY_SIGNERS_H

#include "reload/security/signature.h"
#include "tests/sim/standin.h"

/* Two nodes that sign for each other: Alice with one Node-ID, Bob with three. */

struct signers {
    struct reload_standin_config config;
    struct reload_standin *alice, *bob;
    const struct reload_crypto *a, *b;
};

/* A test whose state is a struct signers. */
#define SIGNED(test) cmocka_unit_test_setup_teardown(test, signers_set_up, signers_tear_down)
int signers_set_up(void **state);
int signers_tear_down(void **state);

/* Another node of that overlay; user NULL: none. The caller's to free. */
struct reload_standin *signers_node(struct signers *signers, uint64_t number, const char *user,
                                    size_t node_ids);

extern const struct reload_time signers_now;

#endif
