#ifndef PEER_PHONE_CALL_H
#define PEER_PHONE_CALL_H

#include "peer/phone.h"
#include "peer/phone_media.h"
#include "peer/phone_outcome.h"

/* Calls of a phone: SIP, media and sound in one (RFC 3261, RFC 3264, RFC 5763, RFC 8839). Threads
 * and callbacks as in peer/phone.h; the event of a call's end may come from inside of a call here
 * when it fails at once.
 *
 * A call has the phone's own number. Own media gather while the callee is found and a channel to
 * him made; the INVITE waits for them. Those of an incoming call gather while it rings. */

struct reload_phone_audio { /* copied */
    const char *device;     /* as media/device.h takes it */
    const char *recording;  /* a path, where nothing is yet; NULL: none */
};

struct reload_phone_call_info { /* texts are good until the next call of the phone */
    uint32_t call;
    bool incoming;
    const char *user;    /* outgoing: who is called, then who answered; incoming: the caller, as its
                            certificate says */
    const char *display; /* incoming: what the caller calls himself, or "" */
    enum reload_sip_call_state state;
    int status;         /* of the end: as RELOAD_SIP_ACTION_CALL_STATE tells it */
    const char *reason; /* of the end: a sentence when media failed, here or there, or never were;
                           else "" */
    struct reload_phone_outcome
        outcome;                    /* of the end, "media_failed" and the reason too; else "" */
    bool held;                      /* by this end */
    bool send, receive;             /* what both ends' directions allow */
    double signalling_ms, setup_ms; /* from dialling, or taking the call, to ESTABLISHED, and to the
                                       first sound of the far end; 0: not yet */
    struct reload_phone_media_status media;
};

enum reload_phone_call_event_type {
    RELOAD_PHONE_CALL_STATE,     /* it is in another state; OFFERED: it waits for answer() */
    RELOAD_PHONE_CALL_MEDIA,     /* directions, or the state of its keys, are others */
    RELOAD_PHONE_CALL_AUDIO,     /* once: the far end's first sound */
    RELOAD_PHONE_CALL_KEY,       /* DTMF heard */
    RELOAD_PHONE_CALL_RECORDING, /* it cannot be written any more; the call goes on without */
    RELOAD_PHONE_CALL_REFUSED,   /* hold() or move() was refused with `status`: all stays */
};

struct reload_phone_call_event {
    enum reload_phone_call_event_type type;
    uint32_t call;
    char key;
    int status; /* of REFUSED */
};

/* Calls an address. RELOAD_E_INVALID: no address, no such device; RELOAD_E_FORBIDDEN: there is
 * something at the recording's path; RELOAD_E_LIMIT, RELOAD_E_IO (no path), RELOAD_E_NOMEM. What
 * goes wrong later is in the call's end. */
RELOAD_MUST_USE int reload_phone_call(struct reload_phone *phone, const char *to,
                                      const struct reload_phone_audio *audio, uint32_t *call);
/* The same of an incoming call. RELOAD_E_NOT_FOUND; RELOAD_E_STATE: it does not ring. */
RELOAD_MUST_USE int reload_phone_answer(struct reload_phone *phone, uint32_t call,
                                        const struct reload_phone_audio *audio);
/* From now on every call is answered at once with this device; NULL: none is. */
RELOAD_MUST_USE int reload_phone_answer_all(struct reload_phone *phone, const char *device);
/* How long calls from now on ring until nobody answered; usually 60 s. As
 * reload_sip_agent_set_ring(). */
void reload_phone_set_ring(struct reload_phone *phone, unsigned seconds);
/* RELOAD_E_NOT_FOUND, and errors of reload_sip_agent_decline(). */
RELOAD_MUST_USE int reload_phone_decline(struct reload_phone *phone, uint32_t call, int status);
/* In any state; its end follows. RELOAD_E_NOT_FOUND. */
RELOAD_MUST_USE int reload_phone_hangup(struct reload_phone *phone, uint32_t call);
/* Each, as this node leaves: what rings is not answered here (480). */
void reload_phone_hangup_all(struct reload_phone *phone);
/* RELOAD_E_NOT_FOUND, errors of reload_sip_agent_hold(). The microphone is off at once. */
RELOAD_MUST_USE int reload_phone_hold(struct reload_phone *phone, uint32_t call, bool on);
/* This machine has other addresses: media moves to them, ICE restarts. RELOAD_E_NOT_FOUND,
 * RELOAD_E_STATE, errors of reload_phone_path_new(). */
RELOAD_MUST_USE int reload_phone_move(struct reload_phone *phone, uint32_t call);
/* Sends a key as DTMF (RFC 4733). RELOAD_E_NOT_FOUND, errors of reload_media_session_press(). */
RELOAD_MUST_USE int reload_phone_press(struct reload_phone *phone, uint32_t call, char key);

/* The calls: `each` for every one, in no order. */
void reload_phone_calls(const struct reload_phone *phone,
                        void (*each)(void *context, const struct reload_phone_call_info *info),
                        void *context);
/* RELOAD_E_NOT_FOUND. */
RELOAD_MUST_USE int reload_phone_call_info(const struct reload_phone *phone, uint32_t call,
                                           struct reload_phone_call_info *out);
/* The one call that rings here, or 0: none or several. */
uint32_t reload_phone_ringing(const struct reload_phone *phone);

#endif
