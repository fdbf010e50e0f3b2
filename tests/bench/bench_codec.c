/* Decodes a 1 KB signed Store request down to its values, and encodes it again from what was read.
 * Nothing is verified. The best of several rounds counts: noise only ever adds. */

#include "bench.h"
#include "reload/alloc.h"
#include "reload/wire/message.h"
#include "reload/wire/store.h"

#define MESSAGE_LEN 1024
#define NODE_ID_LEN 16
#define ROUNDS      15
#define PER_ROUND   100000
#define VALUES_MAX  4

struct request { /* everything the codec can tell of the message */
    struct reload_message message;
    struct reload_store_req store;
    struct reload_store_kind_data kind;
    struct reload_stored_data values[VALUES_MAX];
    size_t value_count;
    struct reload_destination destination;
    struct reload_certificate certificate;
};

static bool decode(struct reload_slice bytes, struct request *out)
{
    if (reload_message_decode(bytes, NODE_ID_LEN, &out->message) ||
        reload_store_req_decode(out->message.body, &out->store))
        return false;
    struct reload_reader list = reload_reader_over(out->message.header.destination_list);
    if (!reload_destination_next(&list, NODE_ID_LEN, &out->destination))
        return false;
    list = reload_reader_over(out->message.security.certificates);
    if (!reload_certificate_next(&list, &out->certificate))
        return false;
    list = reload_reader_over(out->store.kind_data);
    if (!reload_store_kind_data_next(&list, &out->kind))
        return false;
    struct reload_reader values = reload_reader_over(out->kind.values);
    out->value_count = 0;
    while (out->value_count < VALUES_MAX &&
           reload_stored_data_next(&values, RELOAD_MODEL_SINGLE, &out->values[out->value_count]))
        out->value_count++;
    return out->value_count > 0 && reload_reader_finish(&values) == 0;
}

static bool encode(struct reload_writer *w, const struct request *in)
{
    if (reload_forwarding_header_encode(w, &in->message.header))
        return false;
    size_t contents = reload_message_contents_begin(w, in->message.message_code);
    size_t store = reload_store_req_begin(w, in->store.resource, in->store.replica_number);
    size_t kind = reload_store_kind_begin(w, in->kind.kind, in->kind.generation_counter);
    for (size_t i = 0; i < in->value_count; i++)
        if (reload_stored_data_encode(w, &in->values[i]))
            return false;
    reload_store_kind_end(w, kind);
    reload_store_req_end(w, store);
    reload_message_contents_end(w, contents, in->message.extensions);
    if (reload_security_block_encode(w, &in->message.security))
        return false;
    reload_forwarding_header_close(w, 0);
    return reload_writer_status(w) == 0;
}

/* A Store of one value, its size chosen so that the whole is MESSAGE_LEN bytes: ECDSA signatures
 * and a certificate of the usual length. */
static size_t make_message(uint8_t *buf, size_t cap)
{
    static uint8_t filler[MESSAGE_LEN];
    for (size_t i = 0; i < sizeof filler; i++)
        filler[i] = (uint8_t)(i * 31 + 7);
    struct reload_signature signature = {
        .hash_algorithm = RELOAD_HASH_SHA256,
        .signature_algorithm = RELOAD_SIGNATURE_ECDSA,
        .identity = { .type = RELOAD_SIGNER_CERT_HASH,
                      .hash_algorithm = RELOAD_HASH_SHA256,
                      .hash = reload_slice_of(filler, 32) },
        .value = reload_slice_of(filler, 71),
    };
    uint8_t lists[64], bucket[600];
    struct reload_writer destination = reload_writer_of(lists, sizeof lists);
    struct reload_writer certificates = reload_writer_of(bucket, sizeof bucket);
    struct reload_destination resource = reload_destination_resource(reload_slice_of(filler, 16));
    BENCH_CHECK(!reload_destination_encode(&destination, &resource));
    BENCH_CHECK(!reload_certificate_encode(
        &certificates,
        &(struct reload_certificate){ RELOAD_CERTIFICATE_X509, reload_slice_of(filler, 450) }));
    struct request request = {
        .message = { .header = { .overlay = 0x65b0781f,
                                 .version = RELOAD_VERSION,
                                 .ttl = 100,
                                 .fragment = RELOAD_FRAGMENT_WHOLE,
                                 .transaction_id = 0x0102030405060708,
                                 .destination_list = reload_writer_slice(&destination) },
                     .message_code = RELOAD_STORE_REQ,
                     .security = { reload_writer_slice(&certificates), signature } },
        .store = { .resource = reload_slice_of(filler, 16) },
        .kind = { .kind = 0xf0000001 },
        .values = { { .storage_time_ms = 1700000000000,
                      .lifetime_s = 86400,
                      .value = { .model = RELOAD_MODEL_SINGLE,
                                 .data = { true, reload_slice_of(filler, 0) } },
                      .signature = signature } },
        .value_count = 1,
    };
    struct reload_writer w = reload_writer_of(buf, cap);
    BENCH_CHECK(encode(&w, &request) && w.len < MESSAGE_LEN);
    request.values[0].value.data.value.n = MESSAGE_LEN - w.len;
    w = reload_writer_of(buf, cap);
    BENCH_CHECK(encode(&w, &request) && w.len == MESSAGE_LEN);
    return w.len;
}

int main(int argc, char **argv)
{
    uint8_t message[2 * MESSAGE_LEN], again[2 * MESSAGE_LEN];
    size_t len = make_message(message, sizeof message);
    struct request request;
    struct reload_writer w = reload_writer_of(again, sizeof again);
    BENCH_CHECK(decode(reload_slice_of(message, len), &request) && encode(&w, &request));
    BENCH_CHECK(w.len == len && memcmp(message, again, len) == 0);

    unsigned long allocations = reload_alloc_count();
    double decode_ns = 1e9, encode_ns = 1e9;
    uint64_t sum = 0;
    for (int round = 0; round < ROUNDS; round++) {
        uint64_t start = bench_cpu_ns();
        for (int i = 0; i < PER_ROUND; i++) {
            message[20] = (uint8_t)i; /* so that no two passes are the same */
            BENCH_CHECK(decode(reload_slice_of(message, len), &request));
            sum += request.message.header.transaction_id;
        }
        uint64_t middle = bench_cpu_ns();
        for (int i = 0; i < PER_ROUND; i++) {
            request.message.header.transaction_id = (uint64_t)i;
            w = reload_writer_of(again, sizeof again);
            BENCH_CHECK(encode(&w, &request));
            sum += again[27];
        }
        uint64_t end = bench_cpu_ns();
        double decoded = (double)(middle - start) / PER_ROUND;
        double encoded = (double)(end - middle) / PER_ROUND;
        decode_ns = decoded < decode_ns ? decoded : decode_ns;
        encode_ns = encoded < encode_ns ? encoded : encode_ns;
    }
    allocations = reload_alloc_count() - allocations;
    if (!bench_wants_json(argc, argv))
        printf("a %zu byte signed Store request: decode %.0f ns, encode %.0f ns, %lu allocations "
               "(checksum %llx)\n",
               len, decode_ns, encode_ns, allocations, (unsigned long long)sum);
    else
        printf("{\"bytes\":%zu,\"decode_ns\":%.0f,\"encode_ns\":%.0f,\"allocations\":%lu}\n", len,
               decode_ns, encode_ns, allocations);
    return 0;
}
