#ifndef PEER_DOCTOR_H
#define PEER_DOCTOR_H

#include "peer/bootstrap.h"
#include "peer/overlay.h"

/* Why a node is not reachable, and what to do about it: a pure judgement of what is known. */

#define RELOAD_DOCTOR_FINDINGS_MAX 16

enum reload_doctor_verdict {
    RELOAD_DOCTOR_OK,
    RELOAD_DOCTOR_WARNING, /* it works, but not for all, or not for long */
    RELOAD_DOCTOR_BAD,
};

struct reload_doctor_finding {
    const char *check; /* "clock", "certificate", "configuration", "bootstrap", "listen", "udp",
                          "nat" */
    enum reload_doctor_verdict verdict;
    char text[320];
    const char *cure; /* NULL when it is in order */
};

struct reload_doctor_report {
    struct reload_doctor_finding findings[RELOAD_DOCTOR_FINDINGS_MAX];
    size_t count;
    bool joined, expired; /* expired: certificate or document */
};

struct reload_doctor_evidence {
    bool joined, ice, dtls;
    enum reload_role role;
    uint64_t now_unix_ms, certificate_expires_ms, document_expires_ms; /* RELOAD_NEVER: never */
    bool clock_known;                                                  /* linked nodes were asked */
    int64_t clock_ahead_ms;
    const struct reload_bootstrap *bootstrap;
    const struct reload_link_address *listening;
    size_t listening_count;
    const struct reload_link_address *addresses; /* as others are told: no wildcards */
    size_t address_count;
    uint64_t accepted; /* links, so far */
    enum reload_overlay_nat nat;
    const struct reload_link_address *relay; /* a TURN server in use; NULL: none */
};

void reload_doctor_examine(const struct reload_doctor_evidence *evidence,
                           struct reload_doctor_report *out);
/* The evidence that a running overlay object gives; the clock is not known by it. */
void reload_doctor_gather(const struct reload_overlay *overlay, struct reload_doctor_evidence *out);
/* The worst of the findings. */
enum reload_doctor_verdict reload_doctor_verdict(const struct reload_doctor_report *report);
const char *reload_doctor_verdict_text(enum reload_doctor_verdict verdict); /* "ok", ... */

#endif
