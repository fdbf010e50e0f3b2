#ifndef RELOAD_LINK_ROLE_H
#define RELOAD_LINK_ROLE_H

/* Who is who in the TLS or DTLS handshake. Independent of who opened the connection: the node that
 * sent the Attach request is the server (RFC 6940 s6.5.1.13). */
enum reload_link_role {
    RELOAD_LINK_CLIENT,
    RELOAD_LINK_SERVER,
};

#endif
