#ifndef PEER_ABLE_H
#define PEER_ABLE_H

#include "certs/document.h"
#include "reload/node/topology.h"

/* Whether this program can take part in an overlay as its configuration wants it (RFC 6940 s11.1):
 * a node that cannot meet a configuration stays out, or leaves when a new one comes. */

/* The plug-in of the configuration's topology-plugin, or NULL. */
const struct reload_topology_ops *reload_able_topology(const struct reload_config *config);

/* How this program reads a configuration document: strictly, with the namespaces that its usages
 * bring (RFC 7904 s3.4) and the rules that they have for their Kinds. */
struct reload_cert_document_policy reload_able_policy(void);

/* 0; RELOAD_E_UNSUPPORTED (topology, link protocols, shared-secret admission) or RELOAD_E_FORBIDDEN
 * (a client where clients are not permitted), with a reason. */
RELOAD_MUST_USE int reload_able_check(const struct reload_config *config, enum reload_role role,
                                      struct reload_cert_reason *reason);

/* Links by ICE have sockets of their own, one for each address of this machine: whether the process
 * may open as many as a node of an ICE overlay needs. 0, or RELOAD_E_LIMIT with a reason. */
#define RELOAD_ABLE_DESCRIPTORS 256
RELOAD_MUST_USE int reload_able_descriptors(struct reload_cert_reason *reason);

#endif
