#ifndef RELOAD_FRAME_STREAM_H
#define RELOAD_FRAME_STREAM_H

#include "reload/frame/frame.h"

/* Cuts a byte stream into frames (RFC 6940 s6.6.2, s6.6.5). Bytes arrive in any split. A frame that
 * lies whole in the input is handed out in place; only one that is cut by the end of the input is
 * collected, in a buffer that is never larger than a frame of max_message_size and is given back as
 * soon as the frame is done. */

struct reload_frame_stream { /* caller's memory; the fields are private */
    uint32_t max_message_size;
    uint8_t *buffer; /* a frame in the making, or NULL */
    size_t cap, len;
    uint8_t header[RELOAD_FRAME_ACK_LEN]; /* its first bytes, before its length is known */
    size_t header_len;
    bool oversize; /* the frame in the making is cut to max_message_size */
    bool broken;   /* a framing error or an oversize message was met: nothing more comes out */
};

#define RELOAD_FRAME_STREAM_MORE 1 /* not an error: the input is used up */

/* max_message_size: bytes of one message, at most RELOAD_FRAME_MESSAGE_MAX (larger is cut to it).
 */
void reload_frame_stream_init(struct reload_frame_stream *stream, uint32_t max_message_size);
void reload_frame_stream_fini(struct reload_frame_stream *stream);

/* Takes the next frame off *input, which moves on.
 * 0: *out holds a frame; its message is good until the next call and while the input bytes are.
 * RELOAD_FRAME_STREAM_MORE: no whole frame is left; *input is empty, its rest is kept.
 * RELOAD_E_DECODE: unknown frame type, which on a stream cannot be stepped over.
 * RELOAD_E_LIMIT: a message above max_message_size begins here: out->message holds its first
 *   max_message_size bytes, enough to see its forwarding header and to answer (s6.6).
 * RELOAD_E_NOMEM: no memory for the frame.
 * After an error the stream is broken and every further call gives RELOAD_E_STATE. */
RELOAD_MUST_USE int reload_frame_stream_next(struct reload_frame_stream *stream,
                                             struct reload_slice *input, struct reload_frame *out);

#endif
