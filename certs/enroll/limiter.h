#ifndef RELOAD_CERTS_ENROLL_LIMITER_H
#define RELOAD_CERTS_ENROLL_LIMITER_H

#include "reload/error.h"
#include "reload/wire/cursor.h"

/* How often passwords may be guessed: so many wrong ones per account and per network prefix (IPv4
 * /24, IPv6 /56), then a pause that doubles each time. A right password costs nothing. An address
 * from which the account has been used before has an allowance of its own, so that a stranger's
 * guesses cannot lock the owner out.
 *
 * The table has a fixed size; when it is full the entry idle for longest in its row gives way. Rows
 * are chosen by a keyed hash, so nobody can aim at another's entry. One thread at a time. */

#define RELOAD_ENROLL_LIMITER_ROWS 4096
#define RELOAD_ENROLL_LIMITER_WAYS 8 /* rows x ways = the cap of entries */

#define RELOAD_ENROLL_ADDRESS_MAX 16

struct reload_enroll_address { /* of a client; IPv4-mapped IPv6 is held as IPv4 */
    uint8_t len;               /* 4 or 16 */
    uint8_t bytes[RELOAD_ENROLL_ADDRESS_MAX];
};

struct reload_enroll_limits {
    uint32_t user_failures;   /* wrong passwords for one account before the pause: 5 */
    uint32_t prefix_failures; /* for one prefix: 20 */
    uint32_t pause_ms;     /* the first pause, and the calm after which counting restarts: 60 s */
    uint32_t pause_max_ms; /* where doubling stops: 16 min */
};

struct reload_enroll_limiter;

/* secret: 32 random bytes for the keyed hash. NULL when out of memory. */
struct reload_enroll_limiter *reload_enroll_limiter_new(const struct reload_enroll_limits *limits,
                                                        const uint8_t secret[32]);
void reload_enroll_limiter_free(struct reload_enroll_limiter *limiter);

struct reload_enroll_attempt { /* what one password check holds of the allowances */
    uint64_t keys[2];
    size_t count;
};

/* Takes one guess from the allowances before the password is checked, so that checks that run side
 * by side cannot exceed them. `known`: the account was used from this address before.
 * 0, or RELOAD_E_LIMIT with *retry_ms the time until the next guess is allowed. */
RELOAD_MUST_USE int
reload_enroll_limiter_take(struct reload_enroll_limiter *limiter, struct reload_slice user,
                           const struct reload_enroll_address *address, bool known, uint64_t now_ms,
                           struct reload_enroll_attempt *attempt, uint64_t *retry_ms);

/* Gives the guess back: the password was right, or was not looked at. */
void reload_enroll_limiter_refund(struct reload_enroll_limiter *limiter,
                                  const struct reload_enroll_attempt *attempt);

#endif
