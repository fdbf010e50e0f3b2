#ifndef RELOAD_LINK_PCAP_H
#define RELOAD_LINK_PCAP_H

#include "reload/link/address.h"
#include "reload/time.h"
#include "reload/wire/cursor.h"

/* Writes decrypted link frames into a capture file, as UDP packets to or from port 6084 (RELOAD's,
 * RFC 6940 s14.2), where Wireshark's reload-framing dissector picks them up: it has no way to look
 * inside TLS. Each packet is one frame with the link's real addresses; the listener's port is shown
 * as 6084, whatever it is. A frame that exceeds a UDP packet (about 65 500 bytes, far above the
 * usual max-message-size) is left out and counted. */

struct reload_pcap;

/* Creates or truncates the file, mode 0600: it holds what TLS would hide.
 * RELOAD_E_IO (errno tells) or RELOAD_E_NOMEM. */
RELOAD_MUST_USE int reload_pcap_open(const char *path, struct reload_pcap **out);
void reload_pcap_close(struct reload_pcap *pcap); /* NULL is fine */

/* One frame, gathered from parts, seen at `now`. from_listener tells which end has the listening
 * port. Addresses are of one family. After a write error everything more is dropped; see
 * reload_pcap_error(). */
void reload_pcap_write(struct reload_pcap *pcap, struct reload_time now,
                       const struct reload_link_address *from, const struct reload_link_address *to,
                       bool from_listener, const struct reload_slice *parts, size_t count);
void reload_pcap_flush(struct reload_pcap *pcap);
/* 0, or the errno of the first failure. */
int reload_pcap_error(const struct reload_pcap *pcap);
uint64_t reload_pcap_left_out(const struct reload_pcap *pcap);

#endif
