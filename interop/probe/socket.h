#ifndef INTEROP_PROBE_SOCKET_H
#define INTEROP_PROBE_SOCKET_H

#include <sys/socket.h>

#include "reload/link/address.h"

/* Sockets for the addresses of reload/link/address.h; all are non-blocking. */

socklen_t probe_sockaddr(const struct reload_link_address *address, struct sockaddr_storage *out);
void probe_sockaddr_read(const struct sockaddr_storage *from, struct reload_link_address *out);
/* "192.0.2.1:6084" or "[2001:db8::1]:6084". RELOAD_E_INVALID. */
RELOAD_MUST_USE int probe_address_read(const char *text, struct reload_link_address *out);
/* Connected; -1 with errno. */
int probe_socket_dial(const struct reload_link_address *far, bool datagrams);
/* Bound to the address that reaches `far`, any port; *local tells which. -1 with errno. */
int probe_socket_listen(const struct reload_link_address *far, bool datagrams,
                        struct reload_link_address *local);

#endif
