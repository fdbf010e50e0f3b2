#ifndef TESTS_RELOAD_LINK_PEOPLE_H
#define TESTS_RELOAD_LINK_PEOPLE_H

#include "pki.h"

/* The identities that most tests of links have, as a group's set-up and tear-down. */

extern struct pki ca, other_ca;
extern struct identity alice, bob; /* by ca, Node-IDs 0xaa.. and 0xbb.. */
extern struct identity stranger;   /* by other_ca, which nobody trusts, 0xcc.. */
extern struct identity late;       /* by ca, expired, 0xdd.. */

int people_set_up(void **state);
int people_tear_down(void **state);

#endif
