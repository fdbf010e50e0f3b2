#ifndef RELOAD_TESTS_BENCH_CALL_SETUP_H
#define RELOAD_TESTS_BENCH_CALL_SETUP_H

#include <stdbool.h>

/* The whole stack: two nodes of an overlay in one thread, each with a phone; how long a call takes
 * from dialling on. */

struct call_setup {    /* medians, ms */
    double cold;       /* to the first sound decoded, nothing being known or open before: lookup,
                          AppAttach, TLS or DTLS of the SIP channel, INVITE, ICE, DTLS-SRTP */
    double warm;       /* the same again, on the SIP channel that is there, to a known contact */
    double signalling; /* of the warm one, until the 200 and its ACK */
};
struct call_setup call_setup(bool ice);

#endif
