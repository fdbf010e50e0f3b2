#include "people.h"

struct pki ca, other_ca;
struct identity alice, bob, stranger, late;

int people_set_up(void **state)
{
    (void)state;
    pki_init(&ca);
    pki_init(&other_ca);
    identity_init(&alice, &ca, &ca, 0xaa, PKI_EC);
    identity_init(&bob, &ca, &ca, 0xbb, PKI_EC);
    identity_init(&stranger, &other_ca, &ca, 0xcc, PKI_EC);
    identity_init(&late, &ca, &ca, 0xdd, PKI_EXPIRED);
    return 0;
}

int people_tear_down(void **state)
{
    (void)state;
    identity_fini(&alice);
    identity_fini(&bob);
    identity_fini(&stranger);
    identity_fini(&late);
    pki_fini(&ca);
    pki_fini(&other_ca);
    return 0;
}
