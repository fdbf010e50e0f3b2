#ifndef RELOAD_NODE_CONFIG_UPDATE_H
#define RELOAD_NODE_CONFIG_UPDATE_H

#include "reload/node/request.h"
#include "reload/node/transaction.h"

/* Configurations that others bring, or lack (RFC 6940 s6.5.4): config_update.c. */

#define RELOAD_CONFIG_PUSHES_MAX 256   /* Node-IDs remembered */
#define RELOAD_CONFIG_PUSH_MS    10000 /* at most one ConfigUpdate a node in this time */
struct reload_config_push {
    uint64_t hash; /* of the Node-ID */
    uint64_t at_ms;
};

void reload_config_update_handle(struct reload_node *node, struct reload_request *request);
/* Sends the configuration in force along that Destination List to `target`; over that link only,
 * when it is not 0. */
void reload_config_push_answered(struct reload_node *node, struct reload_answer *answer);
void reload_config_push(struct reload_node *node, const struct reload_node_id *target,
                        reload_link_id link, struct reload_slice destination_list);
/* s7.4.1.2: tells who did not know a Kind about it. */
void reload_config_push_kinds(struct reload_node *node, const struct reload_node_id *target,
                              struct reload_slice error_info);
int reload_config_adopt(struct reload_node *node, struct reload_slice document);

#endif
