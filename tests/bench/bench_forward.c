/* A core that forwards 1 KB messages between two links: from the bytes of a message to its SEND
 * action, without TLS. The topology is a stand-in that routes everything to one neighbour. */

#include "bench.h"
#include "reload/alloc.h"
#include "reload/node/node.h"
#include "reload/wire/message.h"
#include "tests/sim/standin.h"

#define MESSAGE_LEN 1024
#define WARM_UP     10000
#define ROUNDS      15
#define PER_ROUND   100000
#define FROM_LINK   1
#define TO_LINK     2

static struct reload_node_id neighbour;

static int create(const struct reload_topology_host *host, struct reload_time now,
                  struct reload_topology **out)
{
    (void)host;
    (void)now;
    *out = (struct reload_topology *)&neighbour; /* never looked into */
    return 0;
}

static void nothing(struct reload_topology *topology)
{
    (void)topology;
}

static bool not_responsible(const struct reload_topology *topology, struct reload_slice id)
{
    (void)topology;
    (void)id;
    return false;
}

static bool to_neighbour(const struct reload_topology *topology, struct reload_slice id,
                         struct reload_node_id *out)
{
    (void)topology;
    (void)id;
    *out = neighbour;
    return true;
}

static void on_time(struct reload_topology *topology, struct reload_time now)
{
    (void)topology;
    (void)now;
}

static void on_join(struct reload_topology *topology, bool first, struct reload_time now)
{
    (void)topology;
    (void)first;
    (void)now;
}

static uint64_t never(const struct reload_topology *topology)
{
    (void)topology;
    return RELOAD_NEVER;
}

static void on_link(struct reload_topology *topology, const struct reload_node_id *node_id,
                    struct reload_time now)
{
    (void)topology;
    (void)node_id;
    (void)now;
}

static const struct reload_topology_ops one_neighbour = {
    .name = "CHORD-RELOAD",
    .create = create,
    .destroy = nothing,
    .resource_id = reload_standin_resource_id,
    .resource_id_length = 16,
    .responsible = not_responsible,
    .next_hop = to_neighbour,
    .join = on_join,
    .leave = on_time,
    .configured = on_time,
    .deadline = never,
    .tick = on_time,
    .link_up = on_link,
};

static size_t drain(struct reload_node *node)
{
    struct reload_action action;
    size_t sent = 0;
    while (reload_node_next(node, &action))
        if (action.type == RELOAD_ACTION_SEND && action.send.link == TO_LINK)
            sent++;
    return sent;
}

static void link_up(struct reload_node *node, reload_link_id link,
                    const struct reload_node_id *node_id, struct reload_time now)
{
    struct reload_node_link info = { .type = RELOAD_LINK_TLS_TCP_FH_NO_ICE,
                                     .node_ids = node_id,
                                     .node_id_count = 1,
                                     .inbound = true };
    reload_node_link_up(node, link, &info, now);
    drain(node);
}

/* A message to a resource, its payload filled up with bytes nobody on the way looks at. */
static void make_message(uint8_t *buf, uint32_t overlay)
{
    static const uint8_t resource[16] = { 0xaa, 1, 2, 3 };
    uint8_t list[32];
    struct reload_writer destinations = reload_writer_of(list, sizeof list);
    struct reload_destination destination =
        reload_destination_resource(reload_slice_of(resource, sizeof resource));
    BENCH_CHECK(!reload_destination_encode(&destinations, &destination));
    struct reload_forwarding_header header = { .overlay = overlay,
                                               .version = RELOAD_VERSION,
                                               .ttl = 50,
                                               .fragment = RELOAD_FRAGMENT_WHOLE,
                                               .length = MESSAGE_LEN,
                                               .transaction_id = 1,
                                               .destination_list =
                                                   reload_writer_slice(&destinations) };
    struct reload_writer w = reload_writer_of(buf, MESSAGE_LEN);
    BENCH_CHECK(!reload_forwarding_header_encode(&w, &header));
    reload_wr_u16(&w, RELOAD_STORE_REQ); /* a request goes on, a response would go back */
    memset(buf + w.len, 0x5a, MESSAGE_LEN - w.len);
}

int main(int argc, char **argv)
{
    struct reload_standin_config overlay;
    reload_standin_config_init(&overlay);
    struct reload_node_id self = reload_standin_node_id(1), sender = reload_standin_node_id(2);
    neighbour = reload_standin_node_id(3);
    struct reload_standin_certificate certificate =
        reload_standin_certificate(&overlay.config, &self, NULL);
    struct reload_standin *standin = reload_standin_new(&overlay.config, &certificate, 0);
    BENCH_CHECK(standin);
    struct reload_standin_random random;
    struct reload_node_config config = { .crypto = reload_standin_crypto(standin),
                                         .overlay = &overlay.config,
                                         .topology = &one_neighbour,
                                         .random = reload_standin_random(&random, 1),
                                         .role = RELOAD_ROLE_PEER,
                                         .log_level = RELOAD_LOG_ERROR };
    struct reload_time now = { .monotonic_ms = 1000, .unix_ms = 1700000000000 };
    struct reload_node *node;
    BENCH_CHECK(reload_node_new(&config, now, &node) == 0);
    link_up(node, FROM_LINK, &sender, now);
    link_up(node, TO_LINK, &neighbour, now);

    uint8_t message[MESSAGE_LEN];
    make_message(message, overlay.config.overlay);
    double best = 1e9;
    unsigned long allocations = 0;
    for (int round = -1; round < ROUNDS; round++) { /* the first one warms up */
        int count = round < 0 ? WARM_UP : PER_ROUND;
        unsigned long before = reload_alloc_count();
        uint64_t start = bench_cpu_ns();
        for (int i = 0; i < count; i++) {
            memcpy(message + 20, &i, sizeof i); /* another transaction */
            reload_node_receive(node, FROM_LINK, message, sizeof message, now);
            BENCH_CHECK(drain(node) == 1);
        }
        double each = (double)(bench_cpu_ns() - start) / count;
        if (round < 0)
            continue;
        allocations += reload_alloc_count() - before;
        best = each < best ? each : best;
    }
    if (bench_wants_json(argc, argv))
        printf("{\"bytes\":%d,\"forward_ns\":%.0f,\"allocations\":%lu}\n", MESSAGE_LEN, best,
               allocations);
    else
        printf("forwarding %d bytes: %.0f ns a message, %lu allocations in %d messages\n",
               MESSAGE_LEN, best, allocations, ROUNDS * PER_ROUND);
    reload_node_free(node);
    reload_standin_free(standin);
    return 0;
}
