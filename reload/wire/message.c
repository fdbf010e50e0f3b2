#include "reload/wire/message.h"

/* RFC 6940 s14.8 */
const struct reload_message_type reload_message_types[] = {
    { RELOAD_PROBE_REQ, "probe_req" },
    { RELOAD_PROBE_ANS, "probe_ans" },
    { RELOAD_ATTACH_REQ, "attach_req" },
    { RELOAD_ATTACH_ANS, "attach_ans" },
    { RELOAD_STORE_REQ, "store_req" },
    { RELOAD_STORE_ANS, "store_ans" },
    { RELOAD_FETCH_REQ, "fetch_req" },
    { RELOAD_FETCH_ANS, "fetch_ans" },
    { RELOAD_FIND_REQ, "find_req" },
    { RELOAD_FIND_ANS, "find_ans" },
    { RELOAD_JOIN_REQ, "join_req" },
    { RELOAD_JOIN_ANS, "join_ans" },
    { RELOAD_LEAVE_REQ, "leave_req" },
    { RELOAD_LEAVE_ANS, "leave_ans" },
    { RELOAD_UPDATE_REQ, "update_req" },
    { RELOAD_UPDATE_ANS, "update_ans" },
    { RELOAD_ROUTE_QUERY_REQ, "route_query_req" },
    { RELOAD_ROUTE_QUERY_ANS, "route_query_ans" },
    { RELOAD_PING_REQ, "ping_req" },
    { RELOAD_PING_ANS, "ping_ans" },
    { RELOAD_STAT_REQ, "stat_req" },
    { RELOAD_STAT_ANS, "stat_ans" },
    { RELOAD_APP_ATTACH_REQ, "app_attach_req" },
    { RELOAD_APP_ATTACH_ANS, "app_attach_ans" },
    { RELOAD_CONFIG_UPDATE_REQ, "config_update_req" },
    { RELOAD_CONFIG_UPDATE_ANS, "config_update_ans" },
    { RELOAD_EXP_A_REQ, "exp_a_req" },
    { RELOAD_EXP_A_ANS, "exp_a_ans" },
    { RELOAD_EXP_B_REQ, "exp_b_req" },
    { RELOAD_EXP_B_ANS, "exp_b_ans" },
    { RELOAD_ERROR, "error" },
};
const size_t reload_message_type_count =
    sizeof reload_message_types / sizeof reload_message_types[0];

const struct reload_message_type *reload_message_type_find(uint16_t code)
{
    for (size_t i = 0; i < reload_message_type_count; i++)
        if (reload_message_types[i].code == code)
            return &reload_message_types[i];
    return NULL;
}

const char *reload_message_name(uint16_t code)
{
    const struct reload_message_type *type = reload_message_type_find(code);
    return type != NULL ? type->name : "unknown";
}

static void read_contents(struct reload_reader *r, struct reload_message *out)
{
    const uint8_t *start = r->p;
    out->message_code = reload_rd_u16(r);
    out->body = reload_rd_opaque32(r);
    out->extensions = reload_rd_opaque32(r);
    struct reload_reader extensions = reload_reader_over(out->extensions);
    struct reload_message_extension extension;
    while (reload_message_extension_next(&extensions, &extension))
        ;
    reload_rd_close(r, &extensions);
    out->contents = reload_rd_since(r, start);
}

int reload_message_payload_decode(struct reload_slice payload, struct reload_message *out)
{
    struct reload_reader r = reload_reader_over(payload);
    read_contents(&r, out);
    if (r.failed)
        return RELOAD_E_DECODE;
    return reload_security_block_decode(reload_rd_rest(&r), &out->security);
}

int reload_message_decode(struct reload_slice message, size_t node_id_len,
                          struct reload_message *out)
{
    int error = reload_forwarding_header_decode(message, node_id_len, &out->header);
    if (error != 0)
        return error;
    if (!reload_fragment_is_whole(&out->header))
        return RELOAD_E_DECODE;
    return reload_message_payload_decode(reload_payload(message, &out->header), out);
}

int reload_message_encode(struct reload_writer *w, const struct reload_message *message)
{
    size_t start = w->len;
    if (reload_forwarding_header_encode(w, &message->header) != 0)
        return RELOAD_E_NOSPACE;
    size_t mark = reload_message_contents_begin(w, message->message_code);
    reload_wr_bytes(w, message->body);
    reload_message_contents_end(w, mark, message->extensions);
    if (reload_security_block_encode(w, &message->security) != 0)
        return RELOAD_E_NOSPACE;
    reload_forwarding_header_close(w, start);
    return reload_writer_status(w);
}

size_t reload_message_contents_begin(struct reload_writer *w, uint16_t message_code)
{
    reload_wr_u16(w, message_code);
    return reload_wr_open32(w);
}

void reload_message_contents_end(struct reload_writer *w, size_t mark,
                                 struct reload_slice extensions)
{
    reload_wr_close32(w, mark);
    reload_wr_opaque32(w, extensions);
}

int reload_message_extension_decode(struct reload_reader *r, struct reload_message_extension *out)
{
    out->type = reload_rd_u16(r);
    out->critical = reload_rd_boolean(r);
    out->contents = reload_rd_opaque32(r);
    if (out->type == 0) /* s6.3.3: invalidMessageExtensionType */
        reload_rd_fail(r);
    return reload_reader_status(r);
}

int reload_message_extension_encode(struct reload_writer *w,
                                    const struct reload_message_extension *ext)
{
    if (ext->type == 0)
        reload_wr_fail(w);
    reload_wr_u16(w, ext->type);
    reload_wr_boolean(w, ext->critical);
    reload_wr_opaque32(w, ext->contents);
    return reload_writer_status(w);
}

bool reload_message_extension_next(struct reload_reader *list, struct reload_message_extension *out)
{
    return reload_reader_more(list) && reload_message_extension_decode(list, out) == 0;
}

int reload_empty_body_decode(struct reload_slice body)
{
    return body.n == 0 ? 0 : RELOAD_E_DECODE;
}
