#include "tests/interop/bodies.h"

#include <stdlib.h>

#include "reload/security/signature.h"
#include "reload/wire/attach.h"
#include "reload/wire/candidate.h"
#include "reload/wire/chord.h"
#include "reload/wire/config_update.h"
#include "reload/wire/error.h"
#include "reload/wire/fetch.h"
#include "reload/wire/find.h"
#include "reload/wire/join.h"
#include "reload/wire/ping.h"
#include "reload/wire/probe.h"
#include "reload/wire/route_query.h"
#include "reload/wire/stat.h"
#include "reload/wire/store.h"

#define WHEN_MS    1796000000000u
#define LIFETIME_S 3600
#define SINGLE     4026531841u /* Kinds of the document */
#define ARRAY      4026531842u
#define DICTIONARY 4026531843u

#define BRACED(text)                                                                               \
    {                                                                                              \
        (const uint8_t *)("" text), sizeof text - 1                                                \
    }
#define TEXT(text) ((struct reload_slice)BRACED(text))

/* What cannot be written is a fault of this program. */
static void must(int status)
{
    if (status)
        abort();
}

static const struct reload_slice resource = {
    (const uint8_t[]){ 0x52, 0x45, 0x53, 0x4f, 0x55, 0x52, 0x43, 0x45, 0x2d, 0x49, 0x44, 0x20, 0x31,
                       0x36, 0x20, 0x62 },
    16,
};

static struct reload_node_id node(uint8_t first)
{
    uint8_t bytes[16] = { first };
    for (uint8_t i = 1; i < 16; i++)
        bytes[i] = i;
    return reload_node_id_from(reload_slice_of(bytes, 16));
}

static void nodes(struct reload_writer *w, const char *firsts)
{
    for (; *firsts; firsts++) {
        struct reload_node_id id = node((uint8_t)*firsts);
        reload_wr_node_id(w, &id);
    }
}

/* --- s6.5.3, s6.4.2.5 --- */

static void ping_req(struct reload_writer *w, const struct vector_context *c)
{
    (void)c;
    must(reload_ping_req_encode(w, &(struct reload_ping_req){ .padding = TEXT("padding") }));
}

static void ping_ans(struct reload_writer *w, const struct vector_context *c)
{
    (void)c;
    must(reload_ping_ans_encode(
        w, &(struct reload_ping_ans){ .response_id = 0x1122334455667788, .time_ms = WHEN_MS }));
}

static void probe_req(struct reload_writer *w, const struct vector_context *c)
{
    (void)c;
    must(reload_probe_req_encode(
        w, &(struct reload_probe_req){ .requested_info = TEXT("\x01\x02\x03") }));
}

static void probe_ans(struct reload_writer *w, const struct vector_context *c)
{
    uint8_t list[64];
    struct reload_writer inner = reload_writer_of(list, sizeof list);
    static const struct reload_probe_information all[] = {
        { .type = RELOAD_PROBE_RESPONSIBLE_SET, .number = 250000000 },
        { .type = RELOAD_PROBE_NUM_RESOURCES, .number = 12 },
        { .type = RELOAD_PROBE_UPTIME, .number = 3600 },
    };
    (void)c;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        must(reload_probe_information_encode(&inner, &all[i]));
    must(reload_probe_ans_encode(
        w, &(struct reload_probe_ans){ .probe_info = reload_writer_slice(&inner) }));
}

/* --- s6.5.1, s6.5.2 --- */

static const struct reload_ip_address_port here = { RELOAD_ADDRESS_IPV4, 6084,
                                                    BRACED("\xc0\0\x02\x01") };
static const struct reload_ip_address_port seen = { RELOAD_ADDRESS_IPV4, 40000,
                                                    BRACED("\xcb\0\x71\x07") };
static const struct reload_ip_address_port six = {
    RELOAD_ADDRESS_IPV6, 6084, BRACED("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01")
};

static void candidates_no_ice(struct reload_writer *w)
{
    must(reload_no_ice_candidate_encode(w, RELOAD_OVERLAY_LINK_TLS_TCP_FH_NO_ICE, &here, 0));
    must(reload_no_ice_candidate_encode(w, RELOAD_OVERLAY_LINK_DTLS_UDP_SR_NO_ICE, &six, 1));
}

static void candidates_ice(struct reload_writer *w)
{
    uint8_t extension[32];
    struct reload_writer inner = reload_writer_of(extension, sizeof extension);
    must(reload_ice_extension_encode(
        &inner, &(struct reload_ice_extension){ .name = TEXT("a name"), .value = TEXT("value") }));
    struct reload_ice_candidate one = { .addr_port = here,
                                        .overlay_link = RELOAD_OVERLAY_LINK_DTLS_UDP_SR,
                                        .foundation = TEXT("1"),
                                        .priority = 2130706431,
                                        .type = RELOAD_CANDIDATE_HOST };
    must(reload_ice_candidate_encode(w, &one));
    one.addr_port = seen;
    one.foundation = TEXT("2");
    one.priority = 1694498815;
    one.type = RELOAD_CANDIDATE_SRFLX;
    one.rel_addr_port = here;
    one.extensions = reload_writer_slice(&inner);
    must(reload_ice_candidate_encode(w, &one));
    one.foundation = TEXT("3");
    one.priority = 16777215;
    one.type = RELOAD_CANDIDATE_RELAY;
    one.extensions = TEXT("");
    must(reload_ice_candidate_encode(w, &one));
}

static void attach(struct reload_writer *w, void (*candidates)(struct reload_writer *), bool ice,
                   const char *role)
{
    uint8_t list[512];
    struct reload_writer inner = reload_writer_of(list, sizeof list);
    candidates(&inner);
    must(reload_attach_encode(w, &(struct reload_attach){
                                     .ufrag = ice ? TEXT("8hhY") : TEXT(""),
                                     .password = ice ? TEXT("asd88fgpdd777uzjYhagZg") : TEXT(""),
                                     .role = reload_slice_of(role, strlen(role)),
                                     .candidates = reload_writer_slice(&inner),
                                     .send_update = role[0] == 'p',
                                 }));
}

static void attach_req(struct reload_writer *w, const struct vector_context *c)
{
    (void)c;
    attach(w, candidates_no_ice, false, "passive");
}

static void attach_ans(struct reload_writer *w, const struct vector_context *c)
{
    (void)c;
    attach(w, candidates_no_ice, false, "active");
}

static void attach_req_ice(struct reload_writer *w, const struct vector_context *c)
{
    (void)c;
    attach(w, candidates_ice, true, "passive");
}

static void attach_ans_ice(struct reload_writer *w, const struct vector_context *c)
{
    (void)c;
    attach(w, candidates_ice, true, "active");
}

static void app_attach(struct reload_writer *w, struct reload_slice role)
{
    uint8_t list[512];
    struct reload_writer inner = reload_writer_of(list, sizeof list);
    candidates_ice(&inner);
    must(reload_app_attach_encode(w, &(struct reload_app_attach){
                                         .ufrag = TEXT("8hhY"),
                                         .password = TEXT("asd88fgpdd777uzjYhagZg"),
                                         .application = 5061, /* s14.5: SIP over TLS */
                                         .role = role,
                                         .candidates = reload_writer_slice(&inner),
                                     }));
}

static void app_attach_req(struct reload_writer *w, const struct vector_context *c)
{
    (void)c;
    app_attach(w, TEXT("passive"));
}

static void app_attach_ans(struct reload_writer *w, const struct vector_context *c)
{
    (void)c;
    app_attach(w, TEXT("active"));
}

/* --- s7.4.1 --- */

static void value(struct reload_writer *w, const struct vector_context *c, uint32_t kind,
                  struct reload_stored_data_value what)
{
    uint8_t signature[RELOAD_SIGNATURE_MAX];
    struct reload_stored_data d = { .storage_time_ms = WHEN_MS,
                                    .lifetime_s = LIFETIME_S,
                                    .value = what };
    must(reload_value_sign(c->crypto, resource, kind, &d, signature));
    must(reload_stored_data_encode(w, &d));
}

static struct reload_stored_data_value single(void)
{
    return (struct reload_stored_data_value){ .model = RELOAD_MODEL_SINGLE,
                                              .data = { true, TEXT("a single value") } };
}

static struct reload_stored_data_value entry(uint32_t index)
{
    return (struct reload_stored_data_value){ .model = RELOAD_MODEL_ARRAY,
                                              .index = index,
                                              .data = { true, TEXT("an array's value") } };
}

static struct reload_stored_data_value keyed(void)
{
    return (struct reload_stored_data_value){ .model = RELOAD_MODEL_DICTIONARY,
                                              .key = TEXT("a key"),
                                              .data = { true, TEXT("a dictionary's value") } };
}

static void store(struct reload_writer *w, const struct vector_context *c, uint8_t replica,
                  uint64_t generation, uint32_t kind, struct reload_stored_data_value what)
{
    size_t all = reload_store_req_begin(w, resource, replica);
    size_t one = reload_store_kind_begin(w, kind, generation);
    value(w, c, kind, what);
    reload_store_kind_end(w, one);
    reload_store_req_end(w, all);
}

static void store_req_single(struct reload_writer *w, const struct vector_context *c)
{
    store(w, c, 0, 0, SINGLE, single());
}

static void store_req_append(struct reload_writer *w, const struct vector_context *c)
{
    store(w, c, 0, 0, ARRAY, entry(RELOAD_ARRAY_LAST));
}

static void store_req_dictionary(struct reload_writer *w, const struct vector_context *c)
{
    store(w, c, 0, 3, DICTIONARY, keyed());
}

static void store_req_removal(struct reload_writer *w, const struct vector_context *c)
{
    struct reload_stored_data_value gone = keyed();
    gone.data = (struct reload_data_value){ .exists = false };
    store(w, c, 0, 4, DICTIONARY, gone);
}

static void store_req_replica(struct reload_writer *w, const struct vector_context *c)
{
    store(w, c, 1, 5, ARRAY, entry(2));
}

static void store_ans(struct reload_writer *w, const struct vector_context *c)
{
    uint8_t replicas[64];
    struct reload_writer inner = reload_writer_of(replicas, sizeof replicas);
    (void)c;
    nodes(&inner, "@P");
    size_t all = reload_store_ans_begin(w);
    must(reload_store_kind_response_encode(
        w, &(struct reload_store_kind_response){
               .kind = SINGLE, .generation_counter = 1, .replicas = reload_writer_slice(&inner) }));
    reload_store_ans_end(w, all);
}

/* --- s7.4.2, s7.4.3, s7.4.4 --- */

static void fetch_req(struct reload_writer *w, const struct vector_context *c)
{
    (void)c;
    size_t all = reload_fetch_req_begin(w, resource);
    struct reload_specifier_mark mark = reload_specifier_begin(w, SINGLE, 0, RELOAD_MODEL_SINGLE);
    reload_specifier_end(w, mark, RELOAD_MODEL_SINGLE);
    mark = reload_specifier_begin(w, ARRAY, 0, RELOAD_MODEL_ARRAY);
    reload_wr_array_range(w, (struct reload_array_range){ 0, 3 });
    reload_wr_array_range(w, (struct reload_array_range){ RELOAD_ARRAY_LAST, RELOAD_ARRAY_LAST });
    reload_specifier_end(w, mark, RELOAD_MODEL_ARRAY);
    reload_fetch_req_end(w, all);
}

static void fetch_req_keys(struct reload_writer *w, const struct vector_context *c)
{
    (void)c;
    size_t all = reload_fetch_req_begin(w, resource);
    struct reload_specifier_mark mark =
        reload_specifier_begin(w, DICTIONARY, 2, RELOAD_MODEL_DICTIONARY);
    reload_wr_dictionary_key(w, TEXT("a key"));
    reload_wr_dictionary_key(w, TEXT("another"));
    reload_specifier_end(w, mark, RELOAD_MODEL_DICTIONARY);
    reload_fetch_req_end(w, all);
}

/* s7.4.2.2: what is not there comes without a signature. */
static void nothing(struct reload_writer *w)
{
    must(reload_stored_data_encode(
        w, &(struct reload_stored_data){ .value = { .model = RELOAD_MODEL_ARRAY, .index = 0 },
                                         .signature = reload_signature_none() }));
}

static void fetch_ans(struct reload_writer *w, const struct vector_context *c)
{
    size_t all = reload_fetch_ans_begin(w);
    size_t one = reload_fetch_kind_begin(w, SINGLE, 1);
    value(w, c, SINGLE, single());
    reload_fetch_kind_end(w, one);
    one = reload_fetch_kind_begin(w, ARRAY, 7);
    nothing(w);
    value(w, c, ARRAY, entry(1));
    reload_fetch_kind_end(w, one);
    one = reload_fetch_kind_begin(w, DICTIONARY, 3);
    value(w, c, DICTIONARY, keyed());
    reload_fetch_kind_end(w, one);
    reload_fetch_ans_end(w, all);
}

static void stat_ans(struct reload_writer *w, const struct vector_context *c)
{
    uint8_t digest[RELOAD_DIGEST_MAX];
    const struct reload_slice hashed = TEXT("\0\0\0\x0e"
                                            "a single value"); /* s7.4.3.2: with its length */
    size_t len;
    must(c->crypto->ops->digest(c->crypto->context, RELOAD_HASH_SHA256, &hashed, 1, digest, &len));
    size_t all = reload_fetch_ans_begin(w);
    size_t one = reload_fetch_kind_begin(w, SINGLE, 1);
    must(reload_stored_meta_data_encode(
        w, &(struct reload_stored_meta_data){
               .storage_time_ms = WHEN_MS,
               .lifetime_s = LIFETIME_S,
               .model = RELOAD_MODEL_SINGLE,
               .data = { true, (uint32_t)hashed.n - 4, RELOAD_HASH_SHA256,
                         reload_slice_of(digest, len) },
           }));
    reload_fetch_kind_end(w, one);
    reload_fetch_ans_end(w, all);
}

static void find_req(struct reload_writer *w, const struct vector_context *c)
{
    (void)c;
    must(reload_find_req_encode(w, &(struct reload_find_req){
                                       .resource = resource,
                                       .kinds = TEXT("\xf0\0\0\x01\xf0\0\0\x02"),
                                   }));
}

static void find_ans(struct reload_writer *w, const struct vector_context *c)
{
    uint8_t list[64];
    struct reload_writer inner = reload_writer_of(list, sizeof list);
    (void)c;
    must(reload_find_kind_data_encode(&inner, &(struct reload_find_kind_data){ SINGLE, resource }));
    must(reload_find_kind_data_encode(
        &inner,
        &(struct reload_find_kind_data){ ARRAY, TEXT("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0") }));
    must(reload_find_ans_encode(
        w, &(struct reload_find_ans){ .results = reload_writer_slice(&inner) }));
}

/* --- s6.4.2, s10 --- */

static void join_req(struct reload_writer *w, const struct vector_context *c)
{
    must(reload_join_req_encode(
        w, &(struct reload_join_req){ .joining_peer_id = c->crypto->own->node_id }));
}

static void join_ans(struct reload_writer *w, const struct vector_context *c)
{
    (void)c;
    must(reload_join_ans_encode(w, &(struct reload_join_ans){ .overlay_specific_data = { 0 } }));
}

static void leave(struct reload_writer *w, const struct vector_context *c, uint8_t type)
{
    uint8_t data[64], list[64];
    struct reload_writer outer = reload_writer_of(data, sizeof data);
    struct reload_writer inner = reload_writer_of(list, sizeof list);
    nodes(&inner, "@P");
    must(reload_chord_leave_encode(
        &outer, &(struct reload_chord_leave){ type, reload_writer_slice(&inner) }));
    must(reload_leave_req_encode(w, &(struct reload_leave_req){
                                        .leaving_peer_id = c->crypto->own->node_id,
                                        .overlay_specific_data = reload_writer_slice(&outer),
                                    }));
}

static void leave_req_from_succ(struct reload_writer *w, const struct vector_context *c)
{
    leave(w, c, RELOAD_CHORD_LEAVE_FROM_SUCC);
}

static void leave_req_from_pred(struct reload_writer *w, const struct vector_context *c)
{
    leave(w, c, RELOAD_CHORD_LEAVE_FROM_PRED);
}

static void update(struct reload_writer *w, uint8_t type)
{
    uint8_t lists[3][128];
    static const char *const firsts[3] = { " 0", "@P", "@`p" };
    struct reload_slice slices[3];
    for (int i = 0; i < 3; i++) {
        struct reload_writer inner = reload_writer_of(lists[i], sizeof lists[i]);
        nodes(&inner, firsts[i]);
        slices[i] = reload_writer_slice(&inner);
    }
    must(reload_chord_update_encode(
        w, &(struct reload_chord_update){ 3600, type, slices[0], slices[1], slices[2] }));
}

static void update_req_ready(struct reload_writer *w, const struct vector_context *c)
{
    (void)c;
    update(w, RELOAD_CHORD_UPDATE_PEER_READY);
}

static void update_req_neighbors(struct reload_writer *w, const struct vector_context *c)
{
    (void)c;
    update(w, RELOAD_CHORD_UPDATE_NEIGHBORS);
}

static void update_req_full(struct reload_writer *w, const struct vector_context *c)
{
    (void)c;
    update(w, RELOAD_CHORD_UPDATE_FULL);
}

static void route_query_req(struct reload_writer *w, const struct vector_context *c)
{
    (void)c;
    must(reload_route_query_req_encode(
        w, &(struct reload_route_query_req){
               .send_update = true,
               .destination = { .type = RELOAD_DEST_RESOURCE, .id = resource } }));
}

static void route_query_ans(struct reload_writer *w, const struct vector_context *c)
{
    (void)c;
    must(reload_chord_route_query_ans_encode(w,
                                             &(struct reload_chord_route_query_ans){ node('@') }));
}

static void empty(struct reload_writer *w, const struct vector_context *c)
{
    (void)w, (void)c;
}

/* --- s6.5.4, s6.3.3.1 --- */

static void config_update_req(struct reload_writer *w, const struct vector_context *c)
{
    must(reload_config_update_req_encode(
        w, &(struct reload_config_update_req){ RELOAD_CONFIG_UPDATE_CONFIG, c->document }));
}

static void config_update_req_kind(struct reload_writer *w, const struct vector_context *c)
{
    static uint8_t block[8192];
    struct reload_writer inner = reload_writer_of(block, sizeof block);
    reload_wr_opaque16(&inner, c->kind_block);
    must(reload_config_update_req_encode(
        w, &(struct reload_config_update_req){ RELOAD_CONFIG_UPDATE_KIND,
                                               reload_writer_slice(&inner) }));
}

static void error(struct reload_writer *w, uint16_t code, struct reload_slice info)
{
    must(reload_error_response_encode(w, &(struct reload_error_response){ code, info }));
}

static void error_forbidden(struct reload_writer *w, const struct vector_context *c)
{
    (void)c;
    error(w, RELOAD_ERROR_FORBIDDEN, TEXT("not yours"));
}

static void error_generation(struct reload_writer *w, const struct vector_context *c)
{
    uint8_t info[128];
    struct reload_writer inner = reload_writer_of(info, sizeof info);
    store_ans(&inner, c);
    error(w, RELOAD_ERROR_GENERATION_COUNTER_TOO_LOW, reload_writer_slice(&inner));
}

static void error_unknown_kind(struct reload_writer *w, const struct vector_context *c)
{
    uint8_t info[16];
    struct reload_writer inner = reload_writer_of(info, sizeof info);
    (void)c;
    must(reload_unknown_kinds_encode(&inner, (const uint32_t[]){ 0xf0009999, 0xf0009998 }, 2));
    error(w, RELOAD_ERROR_UNKNOWN_KIND, reload_writer_slice(&inner));
}

enum reload_data_model vector_model(uint32_t kind)
{
    return kind == SINGLE  ? RELOAD_MODEL_SINGLE
           : kind == ARRAY ? RELOAD_MODEL_ARRAY
                           : RELOAD_MODEL_DICTIONARY;
}

const struct vector_body vector_bodies[] = {
    { "probe_req", "6.4.2.5.1", RELOAD_PROBE_REQ, probe_req },
    { "probe_ans", "6.4.2.5.2", RELOAD_PROBE_ANS, probe_ans },
    { "attach_req", "6.5.1.1", RELOAD_ATTACH_REQ, attach_req },
    { "attach_ans", "6.5.1.2", RELOAD_ATTACH_ANS, attach_ans },
    { "attach_req_ice", "6.5.1.1", RELOAD_ATTACH_REQ, attach_req_ice },
    { "attach_ans_ice", "6.5.1.2", RELOAD_ATTACH_ANS, attach_ans_ice },
    { "store_req_single", "7.4.1.1", RELOAD_STORE_REQ, store_req_single },
    { "store_req_append", "7.4.1.1", RELOAD_STORE_REQ, store_req_append },
    { "store_req_dictionary", "7.4.1.1", RELOAD_STORE_REQ, store_req_dictionary },
    { "store_req_removal", "7.4.1.3", RELOAD_STORE_REQ, store_req_removal },
    { "store_req_replica", "7.4.1.1", RELOAD_STORE_REQ, store_req_replica },
    { "store_ans", "7.4.1.2", RELOAD_STORE_ANS, store_ans },
    { "fetch_req", "7.4.2.1", RELOAD_FETCH_REQ, fetch_req },
    { "fetch_req_keys", "7.4.2.1", RELOAD_FETCH_REQ, fetch_req_keys },
    { "fetch_ans", "7.4.2.2", RELOAD_FETCH_ANS, fetch_ans },
    { "find_req", "7.4.4.1", RELOAD_FIND_REQ, find_req },
    { "find_ans", "7.4.4.2", RELOAD_FIND_ANS, find_ans },
    { "join_req", "6.4.2.1", RELOAD_JOIN_REQ, join_req },
    { "join_ans", "6.4.2.1", RELOAD_JOIN_ANS, join_ans },
    { "leave_req_from_succ", "10.9", RELOAD_LEAVE_REQ, leave_req_from_succ },
    { "leave_req_from_pred", "10.9", RELOAD_LEAVE_REQ, leave_req_from_pred },
    { "leave_ans", "6.4.2.2", RELOAD_LEAVE_ANS, empty },
    { "update_req_peer_ready", "10.7", RELOAD_UPDATE_REQ, update_req_ready },
    { "update_req_neighbors", "10.7", RELOAD_UPDATE_REQ, update_req_neighbors },
    { "update_req_full", "10.7", RELOAD_UPDATE_REQ, update_req_full },
    { "update_ans", "6.4.2.3", RELOAD_UPDATE_ANS, empty },
    { "route_query_req", "6.4.2.4.1", RELOAD_ROUTE_QUERY_REQ, route_query_req },
    { "route_query_ans", "10.8", RELOAD_ROUTE_QUERY_ANS, route_query_ans },
    { "ping_req", "6.5.3.1", RELOAD_PING_REQ, ping_req },
    { "ping_ans", "6.5.3.2", RELOAD_PING_ANS, ping_ans },
    { "stat_req", "7.4.3.1", RELOAD_STAT_REQ, fetch_req },
    { "stat_ans", "7.4.3.2", RELOAD_STAT_ANS, stat_ans },
    { "app_attach_req", "6.5.2.1", RELOAD_APP_ATTACH_REQ, app_attach_req },
    { "app_attach_ans", "6.5.2.2", RELOAD_APP_ATTACH_ANS, app_attach_ans },
    { "config_update_req", "6.5.4.1", RELOAD_CONFIG_UPDATE_REQ, config_update_req },
    { "config_update_req_kind", "6.5.4.1", RELOAD_CONFIG_UPDATE_REQ, config_update_req_kind },
    { "config_update_ans", "6.5.4.2", RELOAD_CONFIG_UPDATE_ANS, empty },
    { "error_forbidden", "6.3.3.1", RELOAD_ERROR, error_forbidden },
    { "error_generation_counter_too_low", "7.4.1.2", RELOAD_ERROR, error_generation },
    { "error_unknown_kind", "7.4.1.2", RELOAD_ERROR, error_unknown_kind },
};
const size_t vector_body_count = sizeof vector_bodies / sizeof *vector_bodies;
