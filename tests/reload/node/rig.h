#ifndef RELOAD_TESTS_NODE_RIG_H
#define RELOAD_TESTS_NODE_RIG_H

#include "reload/node/extension.h"
#include "reload/node/node.h"
#include "reload/node/option.h"
#include "reload/security/signature.h"
#include "reload/wire/error.h"
#include "reload/wire/message.h"
#include "tests/reload/node/fake_topology.h"
#include "tests/sim/standin.h"

/* One node under test, driven by hand: a topology that answers what the test says, parties that
 * sign messages with the stand-in, and the actions that came out, kept as copies. */

#define RIG_PARTIES 8
#define RIG_ACTIONS 4096

struct party { /* somebody with a certificate */
    struct reload_node_id id;
    struct reload_standin *standin;
    const struct reload_crypto *crypto;
};

struct rig_action {
    struct reload_action action; /* pointers into the copies below */
    uint8_t *bytes;              /* SEND: the whole message; LOG: text */
    size_t len;
    struct reload_ip_address_port addresses[8];
    uint8_t address_bytes[8][16];
};

struct rig {
    struct reload_standin_config config;
    struct reload_standin_random random;
    struct reload_node_config node_config;
    struct party me, parties[RIG_PARTIES]; /* parties: on links 1.. */
    struct reload_node *node;
    struct reload_time now;
    struct fake fake;
    struct rig_action *actions;
    size_t action_count;
    uint64_t next_id;
};

/* Prepares everything; change rig->node_config and config.config, then rig_start(). */
void rig_init(struct rig *rig);
void rig_start(struct rig *rig);
void rig_fini(struct rig *rig);

/* A test whose state is a rig that was started, with links to parties 0 and 1 or without any. */
#define RIG(test)       cmocka_unit_test_setup_teardown(test, rig_set_up, rig_tear_down)
#define RIG_ALONE(test) cmocka_unit_test_setup_teardown(test, rig_set_up_alone, rig_tear_down)
int rig_set_up(void **state);
int rig_set_up_alone(void **state);
int rig_tear_down(void **state);

/* Links up party i (from 0) on link i + 1. */
void rig_link(struct rig *rig, size_t party);
/* The same with a certificate that names several Node-IDs: `others` more. */
void rig_link_multiple(struct rig *rig, size_t party, size_t others);
/* Gives the node itself a certificate with that many more Node-IDs; before rig_start(). */
void rig_act_as_one_of_several(struct rig *rig, size_t others);
/* Lets time pass without ticking. */
void rig_wait(struct rig *rig, uint64_t ms);
/* Ticks at every deadline up to that many ms from now. */
void rig_run(struct rig *rig, uint64_t ms);

struct rig_message { /* zero fields take what a good message has */
    const struct party *signer;
    uint16_t code;
    struct reload_slice body;
    struct reload_slice destination_list; /* none: [the node under test] */
    struct reload_slice via_list, options, extensions;
    uint64_t transaction_id; /* 0: a new one */
    uint32_t overlay, fragment, max_response_length;
    uint16_t sequence; /* 0: the configuration's; RIG_SEQUENCE_0 for zero itself */
    uint8_t version, ttl;
    bool ttl_0;
    bool bad_signature;
};
#define RIG_SEQUENCE_0 0xfffe

/* Encodes; the bytes live until the next call of this. Returns the transaction_id. */
struct reload_slice rig_encode(struct rig *rig, const struct rig_message *m, uint64_t *id);
/* Encodes and hands in from a link, in a heap copy of exact size. */
uint64_t rig_receive(struct rig *rig, reload_link_id link, const struct rig_message *m);
void rig_receive_bytes(struct rig *rig, reload_link_id link, struct reload_slice bytes);
/* A Ping body without padding. */
extern const struct reload_slice rig_ping;
/* Requests of that party under that transaction_id, 0: a new one. An Update is not repeatable, and
 * handled by the topology, which counts; a long Ping, of party 0, has that many bytes of padding.
 */
#define RIG_LONG_PADDING 2000
struct rig_message rig_update(const struct rig *rig, size_t party, uint64_t id);
struct rig_message rig_long_ping(const struct rig *rig, uint64_t id);

/* Destination Lists; static storage, eight at a time. */
struct reload_slice rig_nodes(const struct reload_node_id *a, const struct reload_node_id *b);
struct reload_slice rig_resource(const void *id, size_t len);
struct reload_slice rig_join(struct reload_slice a, struct reload_slice b);

/* Pulls all actions into rig->actions. Called by every function above. */
void rig_pull(struct rig *rig);
/* Forgets the actions so far. */
void rig_clear(struct rig *rig);
size_t rig_count(const struct rig *rig, enum reload_action_type type);
/* The n-th action of a type, from 0; NULL when there are fewer. */
const struct rig_action *rig_action(const struct rig *rig, enum reload_action_type type, size_t n);
/* The n-th SEND, decoded; fails the test when there are fewer. */
struct reload_message rig_sent(const struct rig *rig, size_t n, reload_link_id *link);
/* The error code of a message that must be an error response. */
uint16_t rig_error_code(const struct reload_message *m);
uint64_t rig_dropped(const struct rig *rig, enum reload_drop_reason reason);

#endif
