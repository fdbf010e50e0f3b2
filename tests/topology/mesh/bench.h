#ifndef RELOAD_TESTS_TOPOLOGY_MESH_BENCH_H
#define RELOAD_TESTS_TOPOLOGY_MESH_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "reload/alloc.h"
#include "reload/wire/error.h"
#include "reload/wire/join.h"
#include "reload/wire/message.h"
#include "topology/mesh/instance.h"
#include "topology/mesh/mesh.h"

/* One instance of the mesh, first peer of its overlay at place(100, 0), and a host that only writes
 * down what it is asked. */

#define BENCH_REQUESTS_MAX 64

struct bench_request {
    uint16_t code;
    bool has_via;
    struct reload_node_id to, via;
    uint32_t cookie;
};

struct bench {
    struct reload_topology_host host;
    struct reload_config config;
    struct reload_topology *t;
    struct bench_request last[BENCH_REQUESTS_MAX]; /* round and round */
    size_t requests, attaches, pushes, looks, disconnects, losses;
    uint32_t push_cookie; /* of the last */
    struct reload_random random;
};

extern const struct reload_time bench_now;

int bench_set_up(void **out);
int bench_tear_down(void **out);
struct reload_node_id place(unsigned high, unsigned low);
uint16_t bench_handle(struct bench *b, uint16_t code, const struct reload_node_id *signer,
                      const struct reload_node_id *over, bool direct, struct reload_slice body);
/* The last request with that code to that node; NULL: none. */
const struct bench_request *bench_sent(const struct bench *b, uint16_t code,
                                       const struct reload_node_id *to);

#endif
