#include "peer/doctor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>

#include "ice/address.h"
#include "peer/overlay_internal.h"

#define DAY_MS      (24 * UINT64_C(3600000))
#define SOON_MS     (7 * DAY_MS)
#define CLOCK_OFF   5000  /* ms: round trips and habits explain less */
#define CLOCK_WRONG 60000 /* ms: values and certificates begin to be taken for others' */

static struct reload_doctor_finding *find(struct reload_doctor_report *report, const char *check,
                                          enum reload_doctor_verdict verdict, const char *cure,
                                          const char *format, ...)
    __attribute__((format(printf, 5, 6)));

static struct reload_doctor_finding *find(struct reload_doctor_report *report, const char *check,
                                          enum reload_doctor_verdict verdict, const char *cure,
                                          const char *format, ...)
{
    va_list arguments;
    if (report->count == RELOAD_DOCTOR_FINDINGS_MAX)
        return NULL;
    struct reload_doctor_finding *finding = &report->findings[report->count++];
    finding->check = check;
    finding->verdict = verdict;
    finding->cure = cure;
    va_start(arguments, format);
    g_vsnprintf(finding->text, sizeof finding->text, format, arguments);
    va_end(arguments);
    return finding;
}

/* --- time --- */

static void check_clock(const struct reload_doctor_evidence *e, struct reload_doctor_report *r)
{
    static const char cure[] = "set this machine's clock, best by NTP (timedatectl set-ntp true)";
    if (!e->clock_known) {
        find(r, "clock", RELOAD_DOCTOR_OK, NULL, "no other node could be asked for the time");
        return;
    }
    int64_t off_ms = llabs(e->clock_ahead_ms);
    enum reload_doctor_verdict verdict = off_ms >= CLOCK_WRONG ? RELOAD_DOCTOR_BAD
                                         : off_ms >= CLOCK_OFF ? RELOAD_DOCTOR_WARNING
                                                               : RELOAD_DOCTOR_OK;
    if (verdict == RELOAD_DOCTOR_OK)
        find(r, "clock", verdict, NULL, "agrees with that of the linked nodes");
    else
        find(r, "clock", verdict, cure, "%" PRId64 " s %s that of most linked nodes", off_ms / 1000,
             e->clock_ahead_ms > 0 ? "ahead of" : "behind");
}

static void check_expiry(const struct reload_doctor_evidence *e, struct reload_doctor_report *r,
                         const char *check, uint64_t expires_ms, const char *cure)
{
    if (expires_ms == RELOAD_NEVER) {
        find(r, check, RELOAD_DOCTOR_OK, NULL, "does not expire");
    } else if (expires_ms <= e->now_unix_ms) {
        r->expired = true;
        find(r, check, RELOAD_DOCTOR_BAD, cure, "has expired");
    } else {
        uint64_t left_ms = expires_ms - e->now_unix_ms;
        bool soon = left_ms < SOON_MS;
        find(r, check, soon ? RELOAD_DOCTOR_WARNING : RELOAD_DOCTOR_OK, soon ? cure : NULL,
             "valid for another %" PRIu64 " %s", left_ms / (soon ? DAY_MS / 24 : DAY_MS),
             soon ? "hours" : "days");
    }
}

/* --- the way in --- */

static const char *cure_of(const struct reload_bootstrap_failure *failure)
{
    switch (failure->error) {
    case RELOAD_E_CERTIFICATE:
    case RELOAD_E_SIGNATURE:
    case RELOAD_E_FORBIDDEN:
        return "it is a node of another overlay, or certificates do not match: fetch the "
               "configuration and a certificate anew with reload enroll";
    case RELOAD_E_EXPIRED:
        return "a certificate has expired or is not valid yet: check the clocks of both, and run "
               "reload enroll again";
    case RELOAD_E_TIMEOUT:
        return "nothing came back: a firewall in between, or the node is off; try another with "
               "--bootstrap";
    default: return "no node listens there: ask its operator, or name another with --bootstrap";
    }
}

static bool needs_a_relay(const struct reload_doctor_evidence *e)
{
    return e->ice && e->nat == RELOAD_OVERLAY_NAT_BLOCKED && !e->relay;
}

static const char *cure_of_unjoined(const struct reload_doctor_evidence *e)
{
    if (needs_a_relay(e))
        return "links need UDP, or a relay: see udp";
    if (e->ice)
        return "ICE finds no way to that peer: a peer that offers TURN (reload peer --turn) would "
               "relay; its own reload doctor may say more";
    return "that peer listens where this node cannot dial it: ask its operator for its reload "
           "doctor";
}

static void check_bootstrap(const struct reload_doctor_evidence *e, struct reload_doctor_report *r)
{
    const struct reload_bootstrap *b = e->bootstrap;
    if (e->joined) {
        find(r, "bootstrap", RELOAD_DOCTOR_OK, NULL, "the node has joined");
        return;
    }
    for (size_t i = 0; i < b->failure_count; i++) {
        const struct reload_bootstrap_failure *f = &b->failures[i];
        char text[RELOAD_LINK_ADDRESS_TEXT];
        find(r, "bootstrap", RELOAD_DOCTOR_BAD, cure_of(f), "%s over %s: %s",
             reload_link_address_text(&f->address, text), f->udp ? "UDP" : "TCP", f->reason);
    }
    if (b->unjoined[0])
        find(r, "bootstrap", RELOAD_DOCTOR_BAD, cure_of_unjoined(e),
             "a node was reached, but does not lead into the overlay: %s", b->unjoined);
    else if (b->failure_count == 0)
        find(r, "bootstrap", RELOAD_DOCTOR_BAD,
             b->failed_rounds ? "name a node with --bootstrap; the overlay's very first peer is "
                                "started with --first"
                              : "ask again in some seconds",
             b->failed_rounds ? "no bootstrap node is known"
                              : "the node has not joined yet; no attempt has failed so far");
}

static bool all_within(const struct reload_doctor_evidence *e, enum reload_ice_scope scope)
{
    for (size_t i = 0; i < e->address_count; i++)
        if (reload_ice_address_scope(&e->addresses[i]) > scope)
            return false;
    return true;
}

static bool listens_anywhere(const struct reload_doctor_evidence *e)
{
    static const uint8_t any[16] = { 0 };
    for (size_t i = 0; i < e->listening_count; i++)
        if (memcmp(e->listening[i].bytes, any, e->listening[i].len) == 0)
            return true;
    return false;
}

static void check_listen(const struct reload_doctor_evidence *e, struct reload_doctor_report *r)
{
    if (e->role != RELOAD_ROLE_PEER && e->listening_count == 0)
        find(r, "listen", RELOAD_DOCTOR_OK, NULL, "a client dials, and listens nowhere");
    else if (e->listening_count == 0)
        find(r, "listen", RELOAD_DOCTOR_BAD, "start the peer with --listen ADDR:PORT",
             "the peer listens nowhere");
    else if (all_within(e, RELOAD_ICE_SCOPE_LOOPBACK) && listens_anywhere(e))
        find(r, "listen", RELOAD_DOCTOR_WARNING, "connect it to a network, and restart the peer",
             "this machine has no address but loopback");
    else if (all_within(e, RELOAD_ICE_SCOPE_LOOPBACK))
        find(r, "listen", RELOAD_DOCTOR_WARNING, "start the peer with --listen 0.0.0.0:6084",
             "only programs on this machine can reach a loopback address");
    else if (!e->ice && all_within(e, RELOAD_ICE_SCOPE_PRIVATE))
        find(r, "listen", RELOAD_DOCTOR_WARNING,
             "forward the port at the router, or use an overlay with ICE",
             "private addresses: without ICE, nodes of other networks cannot reach them");
    else
        find(r, "listen", RELOAD_DOCTOR_OK, NULL, "%" PRIu64 " links came in so far", e->accepted);
}

/* --- UDP --- */

static void check_udp(const struct reload_doctor_evidence *e, struct reload_doctor_report *r)
{
    char relay[RELOAD_LINK_ADDRESS_TEXT];
    if (!e->ice && !e->dtls)
        find(r, "udp", RELOAD_DOCTOR_OK, NULL, "not used: links are TLS over TCP");
    else if (!e->ice)
        find(r, "udp", RELOAD_DOCTOR_OK, NULL, "used without ICE; see reload links");
    else if (e->nat == RELOAD_OVERLAY_NAT_BLOCKED && e->relay)
        find(r, "udp", RELOAD_DOCTOR_WARNING, "let UDP out at the firewall, for direct paths",
             "no STUN server answers: UDP is lost on the way out or back; links go through the "
             "relay at %s",
             reload_link_address_text(e->relay, relay));
    else if (e->nat == RELOAD_OVERLAY_NAT_BLOCKED)
        find(r, "udp", RELOAD_DOCTOR_BAD,
             "let UDP out at the firewall, or have a peer outside of it offer TURN (reload peer "
             "--turn); until then only nodes of this network are linked",
             "no STUN server answers: UDP is lost on the way out or back");
    else if (e->nat == RELOAD_OVERLAY_NAT_UNKNOWN)
        find(r, "udp", RELOAD_DOCTOR_OK, NULL, "no STUN server has been asked yet");
    else
        find(r, "udp", RELOAD_DOCTOR_OK, NULL, "STUN servers answer");
}

static void check_symmetric(const struct reload_doctor_evidence *e, struct reload_doctor_report *r)
{
    char relay[RELOAD_LINK_ADDRESS_TEXT];
    if (e->relay)
        find(r, "nat", RELOAD_DOCTOR_OK, NULL,
             "behind one with another port for each destination (symmetric): what does not get "
             "through goes through the relay at %s",
             reload_link_address_text(e->relay, relay));
    else
        find(r, "nat", RELOAD_DOCTOR_WARNING,
             "set the router to endpoint-independent mapping or forward a port, or have a peer "
             "offer TURN (reload peer --turn)",
             "behind one with another port for each destination (symmetric), and no relay is "
             "known: nodes behind the like cannot be reached");
}

static void check_nat(const struct reload_doctor_evidence *e, struct reload_doctor_report *r)
{
    if (!e->ice)
        return;
    switch (e->nat) {
    case RELOAD_OVERLAY_NAT_NONE:
        find(r, "nat", RELOAD_DOCTOR_OK, NULL, "none: this machine is seen at its own address");
        return;
    case RELOAD_OVERLAY_NAT_SOME:
        find(r, "nat", RELOAD_DOCTOR_OK, NULL,
             "behind one; its kind takes a second STUN server to tell");
        return;
    case RELOAD_OVERLAY_NAT_CONE:
        find(r, "nat", RELOAD_DOCTOR_OK, NULL,
             "behind one that keeps one port for all (RFC 4787 s4.1): ICE gets through");
        return;
    case RELOAD_OVERLAY_NAT_SYMMETRIC: check_symmetric(e, r); return;
    case RELOAD_OVERLAY_NAT_UNKNOWN:
    case RELOAD_OVERLAY_NAT_BLOCKED:
        find(r, "nat", RELOAD_DOCTOR_OK, NULL, "not known as long as no STUN server answers");
    }
}

void reload_doctor_examine(const struct reload_doctor_evidence *e, struct reload_doctor_report *out)
{
    *out = (struct reload_doctor_report){ .joined = e->joined };
    check_clock(e, out);
    check_expiry(e, out, "certificate", e->certificate_expires_ms,
                 "run reload enroll again, and restart the node");
    check_expiry(e, out, "configuration", e->document_expires_ms,
                 "the overlay's operator signs a new document (reload overlay sign)");
    check_bootstrap(e, out);
    check_listen(e, out);
    check_udp(e, out);
    check_nat(e, out);
}

void reload_doctor_gather(const struct reload_overlay *o, struct reload_doctor_evidence *out)
{
    struct reload_overlay_stun_view stun;
    struct reload_overlay_turn_view turn;
    struct reload_links_stats links;
    struct reload_time now = reload_overlay_now();
    reload_overlay_stun_view(o, &stun);
    reload_overlay_turn_view(o, &turn);
    reload_links_stats(reload_overlay_links(o), &links);
    *out = (struct reload_doctor_evidence){
        .joined = reload_node_state(reload_overlay_node(o)) == RELOAD_TOPOLOGY_JOINED,
        .ice = reload_overlay_is_ice(o),
        .dtls = o->dtls,
        .role = reload_overlay_role(o),
        .now_unix_ms = now.unix_ms,
        .certificate_expires_ms = reload_overlay_own(o)->not_after_ms,
        .document_expires_ms = reload_overlay_config(o)->expiration_ms,
        .bootstrap = &o->bootstrap,
        .addresses = o->candidates.own,
        .address_count = o->candidates.count,
        .accepted = links.accepted,
        .nat = stun.nat,
        .relay = turn.relay,
    };
    out->listening = reload_overlay_listening(o, &out->listening_count);
}

enum reload_doctor_verdict reload_doctor_verdict(const struct reload_doctor_report *report)
{
    enum reload_doctor_verdict worst = RELOAD_DOCTOR_OK;
    for (size_t i = 0; i < report->count; i++)
        worst = MAX(worst, report->findings[i].verdict);
    return worst;
}

const char *reload_doctor_verdict_text(enum reload_doctor_verdict verdict)
{
    switch (verdict) {
    case RELOAD_DOCTOR_OK: return "ok";
    case RELOAD_DOCTOR_WARNING: return "warning";
    case RELOAD_DOCTOR_BAD: break;
    }
    return "bad";
}
