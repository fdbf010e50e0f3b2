#include "tests/reload/security/signers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

const struct reload_time signers_now = { 1000, 1800000000000u };

struct reload_standin *signers_node(struct signers *p, uint64_t number, const char *user,
                                    size_t node_ids)
{
    struct reload_node_id id = reload_standin_node_id(number);
    struct reload_standin_certificate c = reload_standin_certificate(&p->config.config, &id, user);
    for (; c.node_id_count < node_ids; c.node_id_count++)
        c.node_ids[c.node_id_count] = reload_standin_node_id(number + 1000 * c.node_id_count);
    struct reload_standin *s = reload_standin_new(&p->config.config, &c, node_ids - 1);
    assert_non_null(s);
    return s;
}

int signers_set_up(void **state)
{
    struct signers *p = calloc(1, sizeof *p);
    reload_standin_config_init(&p->config);
    p->alice = signers_node(p, 1, "alice@overlay.example", 1);
    p->bob = signers_node(p, 2, "bob@overlay.example", 3);
    p->a = reload_standin_crypto(p->alice);
    p->b = reload_standin_crypto(p->bob);
    *state = p;
    return 0;
}

int signers_tear_down(void **state)
{
    struct signers *p = *state;
    reload_standin_free(p->alice);
    reload_standin_free(p->bob);
    free(p);
    return 0;
}
