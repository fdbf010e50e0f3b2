#ifndef PEER_PHONE_OUTCOME_H
#define PEER_PHONE_OUTCOME_H

#include <stdbool.h>

/* What the end of a call, or of a message, means, for people and for programs. */

struct reload_phone_end {
    int status, cause; /* as RELOAD_SIP_ACTION_CALL_STATE tells them */
    bool incoming;
    bool ours;   /* this end hung up or declined */
    bool found;  /* outgoing: the lookup has ended */
    bool rang;   /* outgoing: a device rang */
    bool talked; /* it was taken */
};

struct reload_phone_outcome {
    const char *cause; /* a word that stays as it is */
    const char *text;  /* what happened, and what to do about it: sentences without the last dot */
};

struct reload_phone_outcome reload_phone_outcome(const struct reload_phone_end *end);

#endif
