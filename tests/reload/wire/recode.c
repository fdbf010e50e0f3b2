#include "recode.h"

#include "reload/wire/attach.h"
#include "reload/wire/chord.h"
#include "reload/wire/config_update.h"
#include "reload/wire/error.h"
#include "reload/wire/find.h"
#include "reload/wire/join.h"
#include "reload/wire/message.h"
#include "reload/wire/ping.h"
#include "reload/wire/probe.h"
#include "reload/wire/route_query.h"
#include "reload/wire/stat.h"
#include "reload/wire/store.h"
#include "reload/wire/turn_server.h"

/* The first failure of a walk or of the writer. Decoding has promised that its lists hold, so one
 * that does not is no RELOAD_E_DECODE but a broken promise. */
static int outcome(const struct reload_reader *list, const struct reload_writer *w)
{
    return list->failed ? RELOAD_E_STATE : reload_writer_status(w);
}

/* A validator's verdict does not matter here, only that it reaches one. */
static void judge(int verdict)
{
    (void)verdict;
}

/* One structure that decodes from a cursor must fill all of `in`. */
#define RECODE_ELEMENT(NAME)                                                                       \
    static int recode_##NAME(struct reload_slice in, struct reload_writer *w)                      \
    {                                                                                              \
        struct reload_reader r = reload_reader_over(in);                                           \
        struct reload_##NAME value;                                                                \
        int error = reload_##NAME##_decode(&r, &value);                                            \
        if (error == 0)                                                                            \
            error = reload_reader_finish(&r);                                                      \
        return error != 0 ? error : reload_##NAME##_encode(w, &value);                             \
    }
RECODE_ELEMENT(forwarding_option)
RECODE_ELEMENT(message_extension)
RECODE_ELEMENT(ip_address_port)
RECODE_ELEMENT(ice_extension)
RECODE_ELEMENT(signer_identity)
RECODE_ELEMENT(signature)
RECODE_ELEMENT(certificate)
RECODE_ELEMENT(probe_information)
RECODE_ELEMENT(find_kind_data)

/* One structure that decodes from a slice and has nothing inside to walk. */
#define RECODE_BODY(NAME)                                                                          \
    static int recode_##NAME(struct reload_slice in, struct reload_writer *w)                      \
    {                                                                                              \
        struct reload_##NAME value;                                                                \
        int error = reload_##NAME##_decode(in, &value);                                            \
        return error != 0 ? error : reload_##NAME##_encode(w, &value);                             \
    }
RECODE_BODY(ping_req)
RECODE_BODY(ping_ans)
RECODE_BODY(join_ans)
RECODE_BODY(probe_req)
RECODE_BODY(turn_server)
RECODE_BODY(error_response)

#define RECODE_NODE_BODY(NAME)                                                                     \
    static int recode_##NAME(struct reload_slice in, struct reload_writer *w)                      \
    {                                                                                              \
        struct reload_##NAME value;                                                                \
        int error = reload_##NAME##_decode(in, RECODE_NODE_ID_LEN, &value);                        \
        return error != 0 ? error : reload_##NAME##_encode(w, &value);                             \
    }
RECODE_NODE_BODY(join_req)
RECODE_NODE_BODY(leave_req)
RECODE_NODE_BODY(chord_route_query_ans)
RECODE_NODE_BODY(route_query_req)

static int recode_destination(struct reload_slice in, struct reload_writer *w)
{
    struct reload_reader r = reload_reader_over(in);
    struct reload_destination d;
    if (reload_destination_decode(&r, RECODE_NODE_ID_LEN, &d) != 0 || reload_reader_finish(&r) != 0)
        return RELOAD_E_DECODE;
    return reload_destination_encode(w, &d);
}

/* --- lists: walked and written anew into scratch space, which a structure then takes --- */

#define SCRATCH 70000
struct scratch {
    uint8_t bytes[SCRATCH];
    struct reload_writer w;
};

static int rewrite_destinations(struct reload_slice *list, struct scratch *s)
{
    struct reload_reader r = reload_reader_over(*list);
    struct reload_destination d;
    s->w = reload_writer_of(s->bytes, SCRATCH);
    while (reload_destination_next(&r, RECODE_NODE_ID_LEN, &d))
        if (reload_destination_encode(&s->w, &d) != 0)
            return RELOAD_E_NOSPACE;
    *list = reload_writer_slice(&s->w);
    return outcome(&r, &s->w);
}

static int rewrite_options(struct reload_slice *list, struct scratch *s)
{
    struct reload_reader r = reload_reader_over(*list);
    struct reload_forwarding_option option;
    s->w = reload_writer_of(s->bytes, SCRATCH);
    while (reload_forwarding_option_next(&r, &option))
        if (reload_forwarding_option_encode(&s->w, &option) != 0)
            return RELOAD_E_NOSPACE;
    *list = reload_writer_slice(&s->w);
    return outcome(&r, &s->w);
}

static int rewrite_node_ids(struct reload_slice *list, struct scratch *s)
{
    struct reload_reader r = reload_reader_over(*list);
    struct reload_node_id id;
    s->w = reload_writer_of(s->bytes, SCRATCH);
    while (reload_node_id_next(&r, RECODE_NODE_ID_LEN, &id))
        reload_wr_node_id(&s->w, &id);
    *list = reload_writer_slice(&s->w);
    return outcome(&r, &s->w);
}

static int recode_ice_candidate_at(struct reload_reader *r, struct reload_writer *w)
{
    static struct scratch scratch;
    struct reload_ice_candidate candidate;
    if (reload_ice_candidate_decode(r, &candidate) != 0)
        return RELOAD_E_DECODE;
    struct reload_reader extensions = reload_reader_over(candidate.extensions);
    struct reload_ice_extension extension;
    scratch.w = reload_writer_of(scratch.bytes, SCRATCH);
    while (reload_ice_extension_next(&extensions, &extension))
        if (reload_ice_extension_encode(&scratch.w, &extension) != 0)
            return RELOAD_E_NOSPACE;
    candidate.extensions = reload_writer_slice(&scratch.w);
    int error = outcome(&extensions, &scratch.w);
    return error != 0 ? error : reload_ice_candidate_encode(w, &candidate);
}

static int recode_ice_candidate(struct reload_slice in, struct reload_writer *w)
{
    struct reload_reader r = reload_reader_over(in);
    int error = recode_ice_candidate_at(&r, w);
    return error != 0 ? error : reload_reader_finish(&r);
}

static int rewrite_candidates(struct reload_slice *list, struct scratch *s)
{
    judge(reload_ice_candidates_validate(*list));
    struct reload_reader r = reload_reader_over(*list);
    s->w = reload_writer_of(s->bytes, SCRATCH);
    while (reload_reader_more(&r)) {
        int error = recode_ice_candidate_at(&r, &s->w);
        if (error != 0)
            return error == RELOAD_E_DECODE ? RELOAD_E_STATE : error;
    }
    *list = reload_writer_slice(&s->w);
    return outcome(&r, &s->w);
}

/* --- bodies with lists --- */

static int recode_attach(struct reload_slice in, struct reload_writer *w)
{
    static struct scratch scratch;
    struct reload_attach attach;
    int error = reload_attach_decode(in, &attach);
    if (error == 0)
        error = rewrite_candidates(&attach.candidates, &scratch);
    return error != 0 ? error : reload_attach_encode(w, &attach);
}

static int recode_app_attach(struct reload_slice in, struct reload_writer *w)
{
    static struct scratch scratch;
    struct reload_app_attach attach;
    int error = reload_app_attach_decode(in, &attach);
    if (error == 0)
        error = rewrite_candidates(&attach.candidates, &scratch);
    return error != 0 ? error : reload_app_attach_encode(w, &attach);
}

static int recode_chord_update(struct reload_slice in, struct reload_writer *w)
{
    static struct scratch predecessors, successors, fingers;
    struct reload_chord_update update;
    int error = reload_chord_update_decode(in, RECODE_NODE_ID_LEN, &update);
    if (error == 0)
        error = rewrite_node_ids(&update.predecessors, &predecessors);
    if (error == 0)
        error = rewrite_node_ids(&update.successors, &successors);
    if (error == 0)
        error = rewrite_node_ids(&update.fingers, &fingers);
    return error != 0 ? error : reload_chord_update_encode(w, &update);
}

static int recode_chord_leave(struct reload_slice in, struct reload_writer *w)
{
    static struct scratch neighbors;
    struct reload_chord_leave leave;
    int error = reload_chord_leave_decode(in, RECODE_NODE_ID_LEN, &leave);
    if (error == 0)
        error = rewrite_node_ids(&leave.neighbors, &neighbors);
    return error != 0 ? error : reload_chord_leave_encode(w, &leave);
}

static int recode_probe_ans(struct reload_slice in, struct reload_writer *w)
{
    static struct scratch scratch;
    struct reload_probe_ans ans;
    if (reload_probe_ans_decode(in, &ans) != 0)
        return RELOAD_E_DECODE;
    struct reload_reader r = reload_reader_over(ans.probe_info);
    struct reload_probe_information info;
    scratch.w = reload_writer_of(scratch.bytes, SCRATCH);
    while (reload_probe_information_next(&r, &info))
        if (reload_probe_information_encode(&scratch.w, &info) != 0)
            return RELOAD_E_NOSPACE;
    ans.probe_info = reload_writer_slice(&scratch.w);
    int error = outcome(&r, &scratch.w);
    return error != 0 ? error : reload_probe_ans_encode(w, &ans);
}

static int recode_config_update_req(struct reload_slice in, struct reload_writer *w)
{
    static struct scratch scratch;
    struct reload_config_update_req req;
    if (reload_config_update_req_decode(in, &req) != 0)
        return RELOAD_E_DECODE;
    if (req.type == RELOAD_CONFIG_UPDATE_KIND) {
        struct reload_reader r = reload_reader_over(req.content);
        struct reload_slice block;
        scratch.w = reload_writer_of(scratch.bytes, SCRATCH);
        while (reload_kind_description_next(&r, &block))
            reload_wr_opaque16(&scratch.w, block);
        req.content = reload_writer_slice(&scratch.w);
        int error = outcome(&r, &scratch.w);
        if (error != 0)
            return error;
    }
    return reload_config_update_req_encode(w, &req);
}

static int recode_unknown_kinds(struct reload_slice in, struct reload_writer *w)
{
    struct reload_slice list;
    if (reload_unknown_kinds_decode(in, &list) != 0)
        return RELOAD_E_DECODE;
    struct reload_reader r = reload_reader_over(list);
    uint32_t kinds[RELOAD_UNKNOWN_KINDS_MAX];
    size_t count = 0;
    while (count < RELOAD_UNKNOWN_KINDS_MAX && reload_kind_id_next(&r, &kinds[count]))
        count++;
    return r.failed ? RELOAD_E_STATE : reload_unknown_kinds_encode(w, kinds, count);
}

static int recode_empty(struct reload_slice in, struct reload_writer *w)
{
    (void)w;
    return reload_empty_body_decode(in);
}

static int recode_find_req(struct reload_slice in, struct reload_writer *w)
{
    struct reload_find_req req;
    if (reload_find_req_decode(in, &req) != 0)
        return RELOAD_E_DECODE;
    uint8_t kinds[255];
    judge(reload_find_req_validate(&req));
    struct reload_writer list = reload_writer_of(kinds, sizeof kinds);
    struct reload_reader r = reload_reader_over(req.kinds);
    uint32_t kind;
    while (reload_kind_id_next(&r, &kind))
        reload_wr_u32(&list, kind);
    req.kinds = reload_writer_slice(&list);
    return r.failed ? RELOAD_E_STATE : reload_find_req_encode(w, &req);
}

static int recode_find_ans(struct reload_slice in, struct reload_writer *w)
{
    static struct scratch scratch;
    struct reload_find_ans ans;
    if (reload_find_ans_decode(in, &ans) != 0)
        return RELOAD_E_DECODE;
    struct reload_reader r = reload_reader_over(ans.results);
    struct reload_find_kind_data data;
    scratch.w = reload_writer_of(scratch.bytes, SCRATCH);
    while (reload_find_kind_data_next(&r, &data))
        if (reload_find_kind_data_encode(&scratch.w, &data) != 0)
            return RELOAD_E_NOSPACE;
    ans.results = reload_writer_slice(&scratch.w);
    int error = outcome(&r, &scratch.w);
    return error != 0 ? error : reload_find_ans_encode(w, &ans);
}

/* --- values, whose grammar depends on a data model that is not on the wire --- */

typedef int recode_values_function(struct reload_slice values, enum reload_data_model model,
                                   struct reload_writer *w);

static int recode_stored(struct reload_slice values, enum reload_data_model model,
                         struct reload_writer *w)
{
    struct reload_reader r = reload_reader_over(values);
    struct reload_stored_data data;
    while (reload_stored_data_next(&r, model, &data))
        if (reload_stored_data_encode(w, &data) != 0)
            return RELOAD_E_NOSPACE;
    int error = reload_reader_status(&r); /* their grammar was not known before */
    return error != 0 ? error : reload_writer_status(w);
}

static int recode_meta(struct reload_slice values, enum reload_data_model model,
                       struct reload_writer *w)
{
    struct reload_reader r = reload_reader_over(values);
    struct reload_stored_meta_data data;
    while (reload_stored_meta_data_next(&r, model, &data))
        if (reload_stored_meta_data_encode(w, &data) != 0)
            return RELOAD_E_NOSPACE;
    int error = reload_reader_status(&r); /* their grammar was not known before */
    return error != 0 ? error : reload_writer_status(w);
}

/* As each model in turn, then as raw elements, then as raw bytes: a decoder does the last two for a
 * Kind that it does not know. Every reading that decodes is written, the last one stays. */
static void recode_values(struct reload_slice values, recode_values_function *recode,
                          struct reload_writer *w)
{
    const size_t start = w->len;
    for (int model = RELOAD_MODEL_SINGLE; model <= RELOAD_MODEL_DICTIONARY; model++) {
        struct reload_writer attempt = *w;
        int error = recode(values, (enum reload_data_model)model, &attempt);
        struct reload_slice written = { w->buf + start, attempt.len - start };
        if (error == 0 && !reload_slice_equal(written, values))
            reload_wr_fail(w); /* decoded, but encodes differently */
    }
    struct reload_reader r = reload_reader_over(values);
    struct reload_slice raw;
    while (reload_stored_data_next_raw(&r, &raw))
        reload_wr_bytes(w, raw);
    if (r.failed) {
        w->len = start;
        reload_wr_bytes(w, values);
    }
}

#define RECODE_ONE_VALUE(NAME, FUNCTION, MODEL)                                                    \
    static int recode_##NAME(struct reload_slice in, struct reload_writer *w)                      \
    {                                                                                              \
        return in.n == 0 ? RELOAD_E_DECODE : FUNCTION(in, MODEL, w);                               \
    }
RECODE_ONE_VALUE(stored_single, recode_stored, RELOAD_MODEL_SINGLE)
RECODE_ONE_VALUE(stored_array, recode_stored, RELOAD_MODEL_ARRAY)
RECODE_ONE_VALUE(stored_dictionary, recode_stored, RELOAD_MODEL_DICTIONARY)
RECODE_ONE_VALUE(meta_single, recode_meta, RELOAD_MODEL_SINGLE)
RECODE_ONE_VALUE(meta_array, recode_meta, RELOAD_MODEL_ARRAY)
RECODE_ONE_VALUE(meta_dictionary, recode_meta, RELOAD_MODEL_DICTIONARY)

static int recode_store_req(struct reload_slice in, struct reload_writer *w)
{
    struct reload_store_req req;
    if (reload_store_req_decode(in, &req) != 0)
        return RELOAD_E_DECODE;
    size_t mark = reload_store_req_begin(w, req.resource, req.replica_number);
    struct reload_reader r = reload_reader_over(req.kind_data);
    struct reload_store_kind_data kind;
    while (reload_store_kind_data_next(&r, &kind)) {
        size_t kind_mark = reload_store_kind_begin(w, kind.kind, kind.generation_counter);
        recode_values(kind.values, recode_stored, w);
        reload_store_kind_end(w, kind_mark);
    }
    reload_store_req_end(w, mark);
    return outcome(&r, w);
}

static int recode_store_ans(struct reload_slice in, struct reload_writer *w)
{
    static struct scratch replicas;
    struct reload_store_ans ans;
    if (reload_store_ans_decode(in, RECODE_NODE_ID_LEN, &ans) != 0)
        return RELOAD_E_DECODE;
    size_t mark = reload_store_ans_begin(w);
    struct reload_reader r = reload_reader_over(ans.kind_responses);
    struct reload_store_kind_response response;
    while (reload_store_kind_response_next(&r, RECODE_NODE_ID_LEN, &response)) {
        int error = rewrite_node_ids(&response.replicas, &replicas);
        if (error != 0)
            return error;
        if (reload_store_kind_response_encode(w, &response) != 0)
            return RELOAD_E_NOSPACE;
    }
    reload_store_ans_end(w, mark);
    return outcome(&r, w);
}

/* Writes a specifier anew under a model; false when it does not decode under it. */
static bool recode_specifier(const struct reload_stored_data_specifier *specifier,
                             enum reload_data_model model, struct reload_writer *w)
{
    struct reload_reader elements;
    if (reload_stored_data_specifier_open(specifier, model, &elements) != 0)
        return false;
    struct reload_specifier_mark mark =
        reload_specifier_begin(w, specifier->kind, specifier->generation, model);
    struct reload_array_range range;
    struct reload_slice key;
    if (model == RELOAD_MODEL_ARRAY) {
        judge(reload_array_ranges_validate(elements));
        while (reload_array_range_next(&elements, &range))
            reload_wr_array_range(w, range);
    } else if (model == RELOAD_MODEL_DICTIONARY) {
        while (reload_dictionary_key_next(&elements, &key))
            reload_wr_dictionary_key(w, key);
    }
    reload_specifier_end(w, mark, model);
    return true;
}

static int recode_fetch_req(struct reload_slice in, struct reload_writer *w)
{
    struct reload_fetch_req req;
    if (reload_fetch_req_decode(in, &req) != 0)
        return RELOAD_E_DECODE;
    size_t mark = reload_fetch_req_begin(w, req.resource);
    struct reload_reader r = reload_reader_over(req.specifiers);
    struct reload_stored_data_specifier specifier;
    while (reload_stored_data_specifier_next(&r, &specifier)) {
        bool done = false;
        for (int model = RELOAD_MODEL_SINGLE; model <= RELOAD_MODEL_DICTIONARY && !done; model++)
            done = recode_specifier(&specifier, (enum reload_data_model)model, w);
        if (!done && reload_stored_data_specifier_encode(w, &specifier) != 0)
            return RELOAD_E_NOSPACE;
    }
    reload_fetch_req_end(w, mark);
    return outcome(&r, w);
}

static int recode_kind_responses(struct reload_slice in, recode_values_function *recode,
                                 struct reload_writer *w)
{
    struct reload_fetch_ans ans;
    if (reload_fetch_ans_decode(in, &ans) != 0)
        return RELOAD_E_DECODE;
    size_t mark = reload_fetch_ans_begin(w);
    struct reload_reader r = reload_reader_over(ans.kind_responses);
    struct reload_fetch_kind_response response;
    while (reload_fetch_kind_response_next(&r, &response)) {
        size_t kind_mark = reload_fetch_kind_begin(w, response.kind, response.generation);
        recode_values(response.values, recode, w);
        reload_fetch_kind_end(w, kind_mark);
    }
    reload_fetch_ans_end(w, mark);
    return outcome(&r, w);
}

static int recode_fetch_ans(struct reload_slice in, struct reload_writer *w)
{
    return recode_kind_responses(in, recode_stored, w);
}

static int recode_stat_ans(struct reload_slice in, struct reload_writer *w)
{
    return recode_kind_responses(in, recode_meta, w);
}

/* --- messages --- */

static int rewrite_header(struct reload_forwarding_header *h)
{
    static struct scratch via, destinations, options;
    judge(reload_via_list_validate(h->via_list, RECODE_NODE_ID_LEN));
    judge(reload_destination_list_validate(h->destination_list, RECODE_NODE_ID_LEN));
    int error = rewrite_destinations(&h->via_list, &via);
    if (error == 0)
        error = rewrite_destinations(&h->destination_list, &destinations);
    if (error == 0)
        error = rewrite_options(&h->options, &options);
    return error;
}

static int recode_forwarding_header(struct reload_slice in, struct reload_writer *w)
{
    struct reload_forwarding_header h;
    if (reload_forwarding_header_decode(in, RECODE_NODE_ID_LEN, &h) != 0)
        return RELOAD_E_DECODE;
    struct reload_slice payload = reload_payload(in, &h);
    int error = rewrite_header(&h);
    if (error == 0)
        error = reload_forwarding_header_encode(w, &h);
    reload_wr_bytes(w, payload);
    return error != 0 ? error : reload_writer_status(w);
}

static int rewrite_certificates(struct reload_slice *list, struct scratch *s)
{
    struct reload_reader r = reload_reader_over(*list);
    struct reload_certificate certificate;
    s->w = reload_writer_of(s->bytes, SCRATCH);
    while (reload_certificate_next(&r, &certificate))
        if (reload_certificate_encode(&s->w, &certificate) != 0)
            return RELOAD_E_NOSPACE;
    *list = reload_writer_slice(&s->w);
    return outcome(&r, &s->w);
}

static int recode_security_block(struct reload_slice in, struct reload_writer *w)
{
    static struct scratch certificates;
    struct reload_security_block block;
    int error = reload_security_block_decode(in, &block);
    if (error == 0)
        error = rewrite_certificates(&block.certificates, &certificates);
    return error != 0 ? error : reload_security_block_encode(w, &block);
}

static int write_extensions(struct reload_slice list, struct scratch *s)
{
    struct reload_reader r = reload_reader_over(list);
    struct reload_message_extension extension;
    s->w = reload_writer_of(s->bytes, SCRATCH);
    while (reload_message_extension_next(&r, &extension))
        if (reload_message_extension_encode(&s->w, &extension) != 0)
            return RELOAD_E_NOSPACE;
    return outcome(&r, &s->w);
}

/* The body is written anew when its code has a decoder and it decodes, else copied. */
static int recode_message(struct reload_slice in, struct reload_writer *w)
{
    static struct scratch certificates, extensions, body;
    struct reload_message m;
    if (reload_message_decode(in, RECODE_NODE_ID_LEN, &m) != 0)
        return RELOAD_E_DECODE;
    int error = rewrite_header(&m.header);
    if (error == 0)
        error = rewrite_certificates(&m.security.certificates, &certificates);
    if (error == 0)
        error = write_extensions(m.extensions, &extensions);
    if (error != 0)
        return error;
    m.extensions = reload_writer_slice(&extensions.w);
    const char *structure = recoder_of_body(m.message_code);
    body.w = reload_writer_of(body.bytes, SCRATCH);
    if (structure != NULL && recoder_named(structure)(m.body, &body.w) == 0)
        m.body = reload_writer_slice(&body.w);
    return reload_message_encode(w, &m);
}

const struct recoder recoders[] = {
    { "ForwardingHeader", recode_forwarding_header },
    { "Destination", recode_destination },
    { "ForwardingOption", recode_forwarding_option },
    { "Message", recode_message },
    { "MessageExtension", recode_message_extension },
    { "SecurityBlock", recode_security_block },
    { "Signature", recode_signature },
    { "SignerIdentity", recode_signer_identity },
    { "GenericCertificate", recode_certificate },
    { "ErrorResponse", recode_error_response },
    { "unknown_kinds", recode_unknown_kinds },
    { "IpAddressPort", recode_ip_address_port },
    { "IceCandidate", recode_ice_candidate },
    { "IceExtension", recode_ice_extension },
    { "AttachReqAns", recode_attach },
    { "AppAttachReq", recode_app_attach },
    { "JoinReq", recode_join_req },
    { "JoinAns", recode_join_ans },
    { "LeaveReq", recode_leave_req },
    { "ChordUpdate", recode_chord_update },
    { "ChordLeaveData", recode_chord_leave },
    { "ChordRouteQueryAns", recode_chord_route_query_ans },
    { "RouteQueryReq", recode_route_query_req },
    { "ProbeReq", recode_probe_req },
    { "ProbeAns", recode_probe_ans },
    { "ProbeInformation", recode_probe_information },
    { "PingReq", recode_ping_req },
    { "PingAns", recode_ping_ans },
    { "ConfigUpdateReq", recode_config_update_req },
    { "empty", recode_empty },
    { "StoreReq", recode_store_req },
    { "StoreAns", recode_store_ans },
    { "FetchReq", recode_fetch_req },
    { "FetchAns", recode_fetch_ans },
    { "StatAns", recode_stat_ans },
    { "FindReq", recode_find_req },
    { "FindAns", recode_find_ans },
    { "FindKindData", recode_find_kind_data },
    { "StoredData SINGLE", recode_stored_single },
    { "StoredData ARRAY", recode_stored_array },
    { "StoredData DICTIONARY", recode_stored_dictionary },
    { "StoredMetaData SINGLE", recode_meta_single },
    { "StoredMetaData ARRAY", recode_meta_array },
    { "StoredMetaData DICTIONARY", recode_meta_dictionary },
    { "TurnServer", recode_turn_server },
};
const size_t recoder_count = sizeof recoders / sizeof recoders[0];

recode_function *recoder_named(const char *name)
{
    for (size_t i = 0; i < recoder_count; i++)
        if (strcmp(recoders[i].name, name) == 0)
            return recoders[i].recode;
    return NULL;
}

const char *recoder_of_body(uint16_t code)
{
    switch (code) {
    case RELOAD_PROBE_REQ: return "ProbeReq";
    case RELOAD_PROBE_ANS: return "ProbeAns";
    case RELOAD_ATTACH_REQ:
    case RELOAD_ATTACH_ANS: return "AttachReqAns";
    case RELOAD_STORE_REQ: return "StoreReq";
    case RELOAD_STORE_ANS: return "StoreAns";
    case RELOAD_FETCH_REQ:
    case RELOAD_STAT_REQ: return "FetchReq";
    case RELOAD_FETCH_ANS: return "FetchAns";
    case RELOAD_STAT_ANS: return "StatAns";
    case RELOAD_FIND_REQ: return "FindReq";
    case RELOAD_FIND_ANS: return "FindAns";
    case RELOAD_JOIN_REQ: return "JoinReq";
    case RELOAD_JOIN_ANS: return "JoinAns";
    case RELOAD_LEAVE_REQ: return "LeaveReq";
    case RELOAD_UPDATE_REQ: return "ChordUpdate";
    case RELOAD_ROUTE_QUERY_REQ: return "RouteQueryReq";
    case RELOAD_ROUTE_QUERY_ANS: return "ChordRouteQueryAns";
    case RELOAD_PING_REQ: return "PingReq";
    case RELOAD_PING_ANS: return "PingAns";
    case RELOAD_APP_ATTACH_REQ:
    case RELOAD_APP_ATTACH_ANS: return "AppAttachReq";
    case RELOAD_CONFIG_UPDATE_REQ: return "ConfigUpdateReq";
    case RELOAD_LEAVE_ANS:
    case RELOAD_UPDATE_ANS:
    case RELOAD_CONFIG_UPDATE_ANS: return "empty";
    case RELOAD_ERROR: return "ErrorResponse";
    }
    return NULL;
}
