#include <ctype.h>
#include <stdlib.h>

#include "peer/decode/print.h"
#include "reload/frame/frame.h"

/* Which form the input has, and cutting a run of bytes into frames or messages. */

static int add(json_t *out, json_t *json, json_t *note)
{
    if (note)
        json_object_update(json, note);
    return json_array_append_new(out, json) ? RELOAD_E_NOMEM : 0;
}

static json_t *fault_object(size_t offset, const char *what)
{
    return json_pack("{s:{s:I,s:s}}", "error", "offset", (json_int_t)offset, "what", what);
}

static json_t *frame_note(const struct reload_frame *frame)
{
    if (frame->type == RELOAD_FRAME_DATA)
        return json_pack("{s:{s:s,s:I,s:I}}", "frame", "type", "data", "sequence",
                         (json_int_t)frame->sequence, "length", (json_int_t)frame->message.n);
    return json_pack("{s:{s:s,s:I,s:o}}", "frame", "type", "ack", "ack_sequence",
                     (json_int_t)frame->sequence, "received",
                     json_sprintf("%08x", frame->received));
}

/* One frame; its message, when it has one, is decoded into the same object. */
static int take_frame(struct reload_reader *r, const struct reload_decode_options *options,
                      json_t **json)
{
    struct reload_frame frame;
    if (reload_frame_decode(r, &frame))
        return RELOAD_E_NOSPACE;
    *json = NULL;
    int error =
        frame.type == RELOAD_FRAME_DATA ? reload_decode_message(frame.message, options, json) : 0;
    json_t *note = frame_note(&frame);
    if (*json) {
        json_object_update(*json, note);
        json_decref(note);
    } else {
        *json = note;
    }
    return error;
}

/* One message without framing: its own length says where it ends. */
static int take_message(struct reload_reader *r, const struct reload_decode_options *options,
                        json_t **json)
{
    size_t left = reload_reader_left(r), len = left;
    struct reload_reader peek = *r;
    reload_rd_bytes(&peek, RELOAD_HEADER_LENGTH_AT);
    uint32_t says = reload_rd_u32(&peek);
    if (reload_reader_status(&peek) == 0 && says >= RELOAD_HEADER_FIXED && says < left)
        len = says;
    return reload_decode_message(reload_rd_bytes(r, len), options, json);
}

int reload_decode_bytes(struct reload_slice bytes, const struct reload_decode_options *options,
                        json_t *note, json_t *out)
{
    struct reload_reader r = reload_reader_over(bytes);
    int result = 0;
    while (reload_reader_more(&r)) {
        size_t at = (size_t)(r.p - bytes.p);
        uint8_t first = reload_rd_peek_u8(&r);
        bool framed = first == RELOAD_FRAME_DATA || first == RELOAD_FRAME_ACK;
        json_t *json = NULL;
        int error = framed ? take_frame(&r, options, &json) : take_message(&r, options, &json);
        if (error == RELOAD_E_NOSPACE)
            json = fault_object(at, "frame is cut short");
        if (!json || add(out, json, note))
            return RELOAD_E_NOMEM;
        if (error)
            result = RELOAD_E_DECODE;
        /* a message that has no readable length takes all that is left */
    }
    return result;
}

static bool is_hex_text(struct reload_slice input)
{
    for (size_t i = 0; i < input.n; i++)
        if (!isxdigit(input.p[i]) && !isspace(input.p[i]) && input.p[i] != ':')
            return false;
    return input.n > 0;
}

static bool is_pcap(struct reload_slice input)
{
    static const uint8_t magic[][4] = { { 0xa1, 0xb2, 0xc3, 0xd4 },
                                        { 0xd4, 0xc3, 0xb2, 0xa1 },
                                        { 0xa1, 0xb2, 0x3c, 0x4d },
                                        { 0x4d, 0x3c, 0xb2, 0xa1 } };
    for (size_t i = 0; i < 4; i++)
        if (input.n >= 4 && memcmp(input.p, magic[i], 4) == 0)
            return true;
    return false;
}

static int decode_hex(struct reload_slice text, const struct reload_decode_options *options,
                      json_t *out)
{
    uint8_t *bytes;
    size_t len, at;
    int error = reload_hex_read((const char *)text.p, text.n, &bytes, &len, &at);
    if (error == RELOAD_E_INVALID) {
        json_array_append_new(out, fault_object(at, "a hexadecimal digit is missing"));
        return RELOAD_E_DECODE;
    }
    if (error)
        return error;
    error = reload_decode_bytes(reload_slice_of(bytes, len), options, NULL, out);
    free(bytes);
    return error;
}

int reload_decode_input_body(struct reload_slice input, const char *name,
                             const struct reload_decode_options *options, json_t **out)
{
    const struct reload_message_type *type = reload_message_types;
    const struct reload_message_type *end = type + reload_message_type_count;
    uint8_t *bytes = NULL;
    size_t len, at;
    while (type < end && strcmp(type->name, name) != 0)
        type++;
    *out = json_array();
    if (type == end || !*out)
        return type == end ? RELOAD_E_NOT_FOUND : RELOAD_E_NOMEM;
    if (is_hex_text(input) &&
        reload_hex_read((const char *)input.p, input.n, &bytes, &len, &at) == 0)
        input = reload_slice_of(bytes, len);
    json_t *body = reload_decode_body(type->code, input, options);
    json_array_append_new(*out, body ? body : fault_object(0, "the bytes are no such body"));
    free(bytes);
    return body ? 0 : RELOAD_E_DECODE;
}

int reload_decode_input(struct reload_slice input, const struct reload_decode_options *options,
                        json_t **out)
{
    static const uint8_t pcapng[] = { 0x0a, 0x0d, 0x0d, 0x0a };
    *out = json_array();
    if (!*out)
        return RELOAD_E_NOMEM;
    int error;
    if (is_pcap(input)) {
        error = reload_decode_pcap(input, options, *out);
    } else if (input.n >= 4 && memcmp(input.p, pcapng, 4) == 0) {
        json_array_append_new(*out, fault_object(0, "a pcapng file: make it a pcap file with "
                                                    "editcap -F pcap IN OUT"));
        error = RELOAD_E_DECODE;
    } else if (is_hex_text(input)) {
        error = decode_hex(input, options, *out);
    } else {
        error = reload_decode_bytes(input, options, NULL, *out);
    }
    if (error == 0 && json_array_size(*out) == 0 && !is_pcap(input)) {
        json_array_append_new(*out, fault_object(0, "the input is empty"));
        error = RELOAD_E_DECODE;
    }
    if (error == RELOAD_E_NOMEM) {
        json_decref(*out);
        *out = NULL;
    }
    return error;
}
