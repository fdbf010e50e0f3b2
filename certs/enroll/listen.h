#ifndef RELOAD_CERTS_ENROLL_LISTEN_H
#define RELOAD_CERTS_ENROLL_LISTEN_H

#include "certs/reason.h"

#include <stdint.h>

/* A listening TCP socket for "ADDR:PORT", "[V6]:PORT" or "NAME:PORT". RELOAD_E_INVALID: the text;
 * RELOAD_E_IO: the system refuses; the reason says what to do. */
RELOAD_MUST_USE int reload_enroll_listen(const char *text, int *fd,
                                         struct reload_cert_reason *reason);
/* The port of a bound socket. RELOAD_E_IO. */
RELOAD_MUST_USE int reload_enroll_listen_port(int fd, uint16_t *port,
                                              struct reload_cert_reason *reason);

#endif
