#ifndef TESTS_RELOAD_LINK_COUPLE_H
#define TESTS_RELOAD_LINK_COUPLE_H

#include "net.h"
#include "people.h"

/* Two hosts that run together: A dials, B listens, and has a bare port when a test wants one. */

extern struct host host_a, host_b;
extern struct reload_link_address bare_port; /* of B, on 127.0.0.1 */

/* Both with these options, which may be NULL. */
void couple_open(struct identity *dialler, struct identity *listener,
                 const struct host_options *options);
/* The same with bob, and with B's bare port. */
void couple_open_datagrams(struct identity *dialler, const struct host_options *options);
/* A test that ends with the couple closed, and memory there again. */
#define COUPLE(test) cmocka_unit_test_teardown(test, couple_close)
int couple_close(void **state);

/* A link from A to B that is up at both ends: its id at A. */
reload_link_id couple_link(void);
reload_link_id couple_link_datagrams(void);
/* A dial of A's to B's bare port, or to elsewhere; expected may be NULL. */
reload_link_id couple_dial_datagrams(const struct reload_link_address *to,
                                     const struct reload_node_id *expected);
/* B's id of the link that came up last. */
reload_link_id couple_far_id(void);
/* Alice by an engine of her own, linked to B. */
void couple_raw(struct raw *raw);

#endif
