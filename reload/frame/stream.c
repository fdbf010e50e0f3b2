#include "reload/frame/stream.h"

#include "reload/alloc.h"

void reload_frame_stream_init(struct reload_frame_stream *stream, uint32_t max_message_size)
{
    if (max_message_size > RELOAD_FRAME_MESSAGE_MAX)
        max_message_size = RELOAD_FRAME_MESSAGE_MAX;
    *stream = (struct reload_frame_stream){ .max_message_size = max_message_size };
}

static void drop_buffer(struct reload_frame_stream *stream)
{
    reload_free(stream->buffer);
    stream->buffer = NULL;
    stream->cap = stream->len = 0;
}

void reload_frame_stream_fini(struct reload_frame_stream *stream)
{
    drop_buffer(stream);
}

static int fail(struct reload_frame_stream *stream, int error)
{
    stream->broken = true;
    return error;
}

static void skip(struct reload_slice *s, size_t n)
{
    s->p += n;
    s->n -= n;
}

static size_t header_len_of(uint8_t type)
{
    switch (type) {
    case RELOAD_FRAME_DATA: return RELOAD_FRAME_DATA_HEADER_LEN;
    case RELOAD_FRAME_ACK: return RELOAD_FRAME_ACK_LEN;
    default: return 0;
    }
}

/* Bytes of the whole frame as its complete header tells; of an oversize one only as many as are
 * handed out. */
static size_t wanted_len(struct reload_frame_stream *stream, const uint8_t *header)
{
    stream->oversize = false;
    if (header[0] == RELOAD_FRAME_ACK)
        return RELOAD_FRAME_ACK_LEN;
    size_t n = (size_t)header[5] << 16 | (size_t)header[6] << 8 | header[7];
    if (n > stream->max_message_size) {
        stream->oversize = true;
        n = stream->max_message_size;
    }
    return RELOAD_FRAME_DATA_HEADER_LEN + n;
}

/* A frame, or the beginning of an oversize one, lies whole at p. */
static int hand_out(struct reload_frame_stream *stream, const uint8_t *p, size_t n,
                    struct reload_frame *out)
{
    if (!stream->oversize) {
        struct reload_reader r = reload_reader_of(p, n);
        return reload_frame_decode(&r, out);
    }
    *out = (struct reload_frame){ .type = RELOAD_FRAME_DATA };
    out->message =
        reload_slice_of(p + RELOAD_FRAME_DATA_HEADER_LEN, n - RELOAD_FRAME_DATA_HEADER_LEN);
    return fail(stream, RELOAD_E_LIMIT); /* s6.6: above max-message-size */
}

/* Keeps a cut header. RELOAD_FRAME_STREAM_MORE while it is not complete. */
static int collect_header(struct reload_frame_stream *stream, struct reload_slice *input)
{
    size_t want = header_len_of(stream->header_len ? stream->header[0] : input->p[0]);
    while (stream->header_len < want && input->n) {
        stream->header[stream->header_len++] = input->p[0];
        skip(input, 1);
    }
    return stream->header_len < want ? RELOAD_FRAME_STREAM_MORE : 0;
}

/* Starts the buffer of a cut frame; its size was checked against max_message_size before. */
static int start_buffer(struct reload_frame_stream *stream, size_t frame_len)
{
    stream->buffer = reload_alloc(frame_len);
    if (!stream->buffer)
        return fail(stream, RELOAD_E_NOMEM);
    stream->cap = frame_len;
    memcpy(stream->buffer, stream->header, stream->header_len);
    stream->len = stream->header_len;
    stream->header_len = 0;
    return 0;
}

/* Goes on with a frame that an earlier input began. */
static int collect(struct reload_frame_stream *stream, struct reload_slice *input,
                   struct reload_frame *out)
{
    if (!stream->buffer) {
        int status = collect_header(stream, input);
        if (status)
            return status;
        status = start_buffer(stream, wanted_len(stream, stream->header));
        if (status)
            return status;
    }
    size_t n = stream->cap - stream->len;
    n = n < input->n ? n : input->n;
    if (n)
        memcpy(stream->buffer + stream->len, input->p, n);
    stream->len += n;
    skip(input, n);
    if (stream->len < stream->cap)
        return RELOAD_FRAME_STREAM_MORE;
    return hand_out(stream, stream->buffer, stream->cap, out);
}

int reload_frame_stream_next(struct reload_frame_stream *stream, struct reload_slice *input,
                             struct reload_frame *out)
{
    if (stream->broken)
        return RELOAD_E_STATE;
    if (stream->buffer && stream->len == stream->cap)
        drop_buffer(stream); /* the frame that was handed out last */
    if (!input->n)
        return RELOAD_FRAME_STREAM_MORE;
    if (stream->buffer || stream->header_len)
        return collect(stream, input, out);
    size_t header_len = header_len_of(input->p[0]);
    if (!header_len)
        return fail(stream, RELOAD_E_DECODE); /* R6940-6.6.2-7 */
    if (input->n < header_len)
        return collect_header(stream, input);
    size_t frame_len = wanted_len(stream, input->p);
    if (input->n < frame_len)
        return collect(stream, input, out);
    const uint8_t *p = input->p;
    skip(input, frame_len);
    return hand_out(stream, p, frame_len, out);
}
