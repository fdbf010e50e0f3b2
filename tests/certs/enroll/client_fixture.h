#ifndef TESTS_CERTS_ENROLL_CLIENT_FIXTURE_H
#define TESTS_CERTS_ENROLL_CLIENT_FIXTURE_H

#include "fixture.h"

#include "certs/enroll/client.h"
#include "certs/enroll/identity_dir.h"

/* The client of that overlay's user alice, who has no identity yet. */

struct client_fixture {
    struct fixture fixture;
    char ca[128], identity[128], document[128], url[128]; /* set by client_options() */
    struct reload_enroll_outcome outcome;                 /* of the last run */
};

/* A test with the server running, and one with its port alone; the state is the fixture. */
#define CLIENT_SERVED(test)                                                                        \
    cmocka_unit_test_setup_teardown(test, client_set_up_served, client_tear_down)
#define CLIENT_ALONE(test) cmocka_unit_test_setup_teardown(test, client_set_up, client_tear_down)
int client_set_up(void **state);
int client_set_up_served(void **state);
int client_tear_down(void **state);

/* What makes the enrollment succeed; they point into *c. */
struct reload_enroll_client_options client_options(struct client_fixture *c);
/* Runs the enrollment, which must end so: the program's exit code, words of the text, and the
 * folder is there only after success. */
void client_expect(struct client_fixture *c, const struct reload_enroll_client_options *o,
                   enum reload_enroll_result result, int exit_code, const char *words);
/* The folder holds the document in force, and a key and certificate that are valid in it. */
void client_check_identity(const struct client_fixture *c);

#endif
