#ifndef RELOAD_MEDIA_CALL_H
#define RELOAD_MEDIA_CALL_H

#include "media/stream.h"
#include "reload/error.h"

/* A stream on a device, driven by a thread of its own. Everything here may be called from any one
 * other thread and never waits for audio: what the call shall do is left for the media thread,
 * which looks once per block of 10 ms. */
struct reload_media_call;

#define RELOAD_MEDIA_INBOX 128 /* datagrams that wait for the media thread; more are dropped */

struct reload_media_call_options {
    struct reload_media_stream_options stream;
    const char *device;    /* borrowed for _start; as reload_media_device_open takes it */
    const char *recording; /* borrowed for _start; a path, or NULL for none */
    int wake;              /* an eventfd that is written to when the status has news; -1: none */
};

/* The device is opened on the media thread, since a sound server may let one wait: what it refuses
 * is found in the status. Where the system allows it (root, or RLIMIT_RTPRIO) the thread has a
 * real-time priority. ops->send is called, and options->stream.random drawn from, on the media
 * thread. Errors of the stream and the recorder; RELOAD_E_NOT_FOUND: there is no such kind of
 * device; RELOAD_E_IO also when no thread can be made. */
RELOAD_MUST_USE int reload_media_call_start(const struct reload_media_call_options *options,
                                            const struct reload_media_transport_ops *ops,
                                            void *context, struct reload_media_call **out);

/* Asks for the end: BYE goes out, device and recording are closed, and the status tells `ended`,
 * within a block or two. */
void reload_media_call_stop(struct reload_media_call *call);

/* Never waits: what has not ended yet, because the sound server hangs, ends on its own, and nobody
 * hears of it. Once it returns ops->send is not called any more and the wake descriptor is not
 * written to. The host stops handing it datagrams before. NULL is fine. */
void reload_media_call_free(struct reload_media_call *call);

/* RELOAD_E_INVALID: the profile is not known or the material's length not right. The material is
 * copied, and wiped after use. */
RELOAD_MUST_USE int reload_media_call_key(struct reload_media_call *call,
                                          const struct reload_media_keying *keying);

/* RELOAD_E_LIMIT: too many wait, or it is longer than any we read. Copied. */
RELOAD_MUST_USE int reload_media_call_receive(struct reload_media_call *call, uint64_t source,
                                              const uint8_t *bytes, size_t len);
void reload_media_call_move(struct reload_media_call *call, uint64_t source);
void reload_media_call_send(struct reload_media_call *call, bool on); /* hold */
/* What the far end wants to be sent, as reload_media_stream_negotiate takes it; the same error. */
RELOAD_MUST_USE int reload_media_call_negotiate(struct reload_media_call *call,
                                                uint8_t payload_type, uint8_t dtmf_payload_type);

/* RELOAD_E_LIMIT when too many wait. What the stream then refuses is counted. */
RELOAD_MUST_USE int reload_media_call_press(struct reload_media_call *call, char key);

struct reload_media_call_status {
    int error;              /* 0, or why the audio ended: the device */
    const char *reason;     /* the same as a sentence, or NULL; static */
    bool ended;             /* nothing more happens; device and recording are closed */
    bool recording_failed;  /* it could not be written any more: the call goes on without */
    uint64_t blocks;        /* of 10 ms so far */
    uint64_t late_blocks;   /* that took longer than they last, or came as late as that */
    uint64_t inbox_dropped; /* datagrams */
    uint64_t keys_refused;  /* DTMF that could not be sent */
    struct reload_media_counters counters;
    struct reload_media_quality quality;
};

/* As of the last block. */
void reload_media_call_status(struct reload_media_call *call, struct reload_media_call_status *out);
char reload_media_call_heard(struct reload_media_call *call); /* next DTMF key, or 0 */

#endif
