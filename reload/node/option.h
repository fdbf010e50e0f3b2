#ifndef RELOAD_NODE_OPTION_H
#define RELOAD_NODE_OPTION_H

#include "reload/wire/header.h"

/* Forwarding options that a node understands (RFC 6940 s6.3.2.3). One that is not registered is
 * unknown: stepped over, or refused with Error_Unsupported_Forwarding_Option when it is critical
 * for what this node does with the message. */

struct reload_option_ops {
    uint8_t type;
    /* Looks at the option of a message to be forwarded, or (`destined`) of a request to be answered
     * here. 0, or an RFC error code that refuses it. NULL: knowing the option is enough. */
    uint16_t (*receive)(void *context, const struct reload_forwarding_header *header,
                        const struct reload_forwarding_option *option, bool destined);
    void *context;
};

#endif
