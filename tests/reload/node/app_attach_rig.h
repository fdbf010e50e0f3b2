#ifndef TESTS_RELOAD_NODE_APP_ATTACH_RIG_H
#define TESTS_RELOAD_NODE_APP_ATTACH_RIG_H

#include "tests/reload/node/ice_bench.h"

/* One node by hand that agrees on channels by ICE (RFC 6940 s6.5.2): it serves an application, has
 * room for three records, and party 1 is at the far end, behind party 0. */

#define SIP 5060

void app_attach_set_up(struct rig *rig);
/* Of an AppAttach; overwritten by the next call. */
struct reload_slice app_attach_body(const char *role, uint16_t application, uint8_t link_type);
/* What the host knows the record by; 1 when it was never asked for anything. */
uint32_t app_attach_number(const struct rig *rig);

/* The application asks for a channel: as reload_node_app_attach() answers. */
int app_attach_start(struct rig *rig);
/* What the host tells. */
void app_attach_gathered(struct rig *rig);
void app_attach_gathered_nothing(struct rig *rig);
/* What the far end sends: a request, an answer to the node's own one, a request that is refused
 * with the code given back. */
void app_attach_its_request(struct rig *rig);
void app_attach_respond(struct rig *rig, uint16_t code, struct reload_slice body);
uint16_t app_attach_refusal(struct rig *rig, struct reload_slice body);
/* Longer than anything is waited for. */
void app_attach_time_passes(struct rig *rig);

#endif
