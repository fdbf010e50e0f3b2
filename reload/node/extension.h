#ifndef RELOAD_NODE_EXTENSION_H
#define RELOAD_NODE_EXTENSION_H

#include "reload/wire/message.h"

/* Message extensions that a node understands (RFC 6940 s6.3.3). An extension that is not registered
 * is unknown: ignored when not critical, refused with Error_Unknown_Extension when it is. */

struct reload_extension_ops {
    uint16_t type;
    /* Looks at one extension of a verified message before it is handled. 0, or an RFC error code
     * (reload/wire/error.h) that refuses the request; a response is then dropped. */
    uint16_t (*receive)(void *context, const struct reload_message *message,
                        const struct reload_message_extension *extension);
    void *context;
};

#endif
