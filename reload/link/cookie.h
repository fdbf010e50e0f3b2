#ifndef RELOAD_LINK_COOKIE_H
#define RELOAD_LINK_COOKIE_H

#include "reload/link/address.h"
#include "reload/wire/cursor.h"

/* The stateless part of a DTLS server (RFC 6347 s4.2.1): who sends a ClientHello first shows, by
 * sending back a cookie, that it receives where it says it is. Until then nothing is kept and
 * nothing is allocated, and the answer is shorter than the question. A cookie is an HMAC-SHA256 of
 * the address and of what the ClientHello offers, under a secret that changes every
 * RELOAD_COOKIE_ROTATION_MS; the one before is still taken. */

#define RELOAD_COOKIE_ROTATION_MS 60000
#define RELOAD_COOKIE_REPLY_LEN   44

struct reload_cookie_jar;

/* RELOAD_E_NOMEM (or no random numbers). */
RELOAD_MUST_USE int reload_cookie_jar_new(struct reload_cookie_jar **out);
void reload_cookie_jar_free(struct reload_cookie_jar *jar); /* NULL is fine */

enum reload_cookie_verdict {
    RELOAD_COOKIE_DROP,      /* no whole ClientHello in one datagram */
    RELOAD_COOKIE_CHALLENGE, /* without a cookie, or with one that is not ours: send the reply */
    RELOAD_COOKIE_WELCOME,   /* its cookie is good: a handshake may begin with this datagram */
};

/* Judges a datagram from `far`. reply is filled in with a HelloVerifyRequest on CHALLENGE. */
enum reload_cookie_verdict reload_cookie_judge(struct reload_cookie_jar *jar,
                                               const struct reload_link_address *far,
                                               struct reload_slice datagram, uint64_t now_ms,
                                               uint8_t reply[RELOAD_COOKIE_REPLY_LEN]);

#endif
