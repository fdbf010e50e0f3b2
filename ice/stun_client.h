#ifndef RELOAD_ICE_STUN_CLIENT_H
#define RELOAD_ICE_STUN_CLIENT_H

#include "ice/address.h"
#include "reload/random.h"
#include "reload/time.h"
#include "reload/wire/cursor.h"

/* Binding transactions of the bare UDP port (RFC 5389 s7.2.1): which address do others see it at?
 * Datagrams and time in, datagrams out. An answer counts only if it comes from the address that was
 * asked and carries the 96 random bits of the question; everything else is counted and ignored. */

#define RELOAD_ICE_STUN_PENDING_MAX 32   /* questions under way */
#define RELOAD_ICE_STUN_RTO_MS      500  /* doubles with each send */
#define RELOAD_ICE_STUN_SENDS_MAX   5    /* at 0, 0.5, 1.5, 3.5 and 7.5 s */
#define RELOAD_ICE_STUN_LAST_MS     8000 /* from the last send to giving up: Rm of RFC 5389 */

struct reload_ice_stun_question {
    bool used;
    uint8_t transaction_id[12];
    struct reload_link_address server;
    uint64_t cookie; /* the asker's */
    unsigned int sends;
    uint64_t asked_ms, next_ms; /* last send; next one, or the end */
};

struct reload_ice_stun_client {
    struct reload_random random;
    struct reload_ice_stun_question questions[RELOAD_ICE_STUN_PENDING_MAX];
    uint64_t answers;   /* taken */
    uint64_t forged;    /* no such question, or from elsewhere */
    uint64_t malformed; /* no whole Binding answer, or one without a usable address */
    uint64_t timeouts;
};

struct reload_ice_stun_result {
    uint64_t cookie;
    struct reload_link_address server;
    struct reload_link_address reflexive; /* len 0: there was no answer */
    uint64_t rtt_ms;                      /* from the last send; 0 without an answer */
};

void reload_ice_stun_client_init(struct reload_ice_stun_client *client,
                                 const struct reload_random *random);
/* Asks a server. RELOAD_E_LIMIT when too many questions are under way, RELOAD_E_INVALID for an
 * address that cannot be sent to. */
RELOAD_MUST_USE int reload_ice_stun_client_ask(struct reload_ice_stun_client *client,
                                               const struct reload_link_address *server,
                                               uint64_t cookie, struct reload_time now);
/* Withdraws the questions with that cookie. */
void reload_ice_stun_client_forget(struct reload_ice_stun_client *client, uint64_t cookie);

/* The next datagram to send now: false when there is none. out holds 20 bytes. */
#define RELOAD_ICE_STUN_REQUEST_LEN 20
bool reload_ice_stun_client_next(struct reload_ice_stun_client *client, struct reload_time now,
                                 uint8_t out[RELOAD_ICE_STUN_REQUEST_LEN],
                                 struct reload_link_address *to);
/* Takes a STUN datagram. 0 with the result, RELOAD_E_NOT_FOUND (forged, or far too late),
 * RELOAD_E_DECODE (malformed), or RELOAD_E_FORBIDDEN (the server answered an error). */
RELOAD_MUST_USE int reload_ice_stun_client_receive(struct reload_ice_stun_client *client,
                                                   struct reload_slice datagram,
                                                   const struct reload_link_address *from,
                                                   struct reload_time now,
                                                   struct reload_ice_stun_result *result);
/* The next question that nobody answered: false when there is none. */
bool reload_ice_stun_client_expired(struct reload_ice_stun_client *client, struct reload_time now,
                                    struct reload_ice_stun_result *result);
/* When next() or expired() will have something; RELOAD_NEVER without questions. */
uint64_t reload_ice_stun_client_deadline(const struct reload_ice_stun_client *client);

#endif
