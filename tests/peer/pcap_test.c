#include "check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "peer/decode/decode.h"
#include "reload/frame/frame.h"
#include "reload/link/pcap.h"

/* Captures: those that the links write, and packets made by hand as tcpdump would record them. */

static const struct reload_decode_options options = { .node_id_len = 16 };
static const struct reload_time now = { 5, 1700000000123 };

static struct reload_link_address address(const char *literal, uint16_t port)
{
    struct reload_link_address a;
    assert_int_equal(reload_link_address_parse(literal, port, &a), 0);
    return a;
}

static const uint8_t ack[] = { 0x81, 0, 0, 0, 3, 0, 0, 0, 5 };

/* One capture with an ack and with a data frame whose message is `padding` zeros: no message at
 * all, but as long as wanted. */
static json_t *captured(const char *from, const char *to, size_t padding, int *error)
{
    char path[] = "/tmp/reload-pcap-XXXXXX";
    int fd = mkstemp(path);
    close(fd);
    struct reload_pcap *pcap;
    struct reload_link_address a = address(from, 40000), b = address(to, 6084);
    uint8_t header[RELOAD_FRAME_DATA_HEADER_LEN], *zeros = calloc(1, padding + 1);
    assert_int_equal(reload_pcap_open(path, &pcap), 0);
    struct reload_slice part = { ack, sizeof ack };
    reload_pcap_write(pcap, now, &a, &b, false, &part, 1);
    reload_frame_data_header(header, 9, padding);
    struct reload_slice parts[] = { { header, sizeof header }, { zeros, padding } };
    reload_pcap_write(pcap, now, &a, &b, false, parts, 2);
    reload_pcap_close(pcap);
    free(zeros);

    FILE *f = fopen(path, "rb");
    uint8_t *bytes = malloc(1 << 20);
    size_t n = fread(bytes, 1, 1 << 20, f);
    fclose(f);
    unlink(path);
    json_t *objects;
    *error = reload_decode_input(reload_slice_of(bytes, n), &options, &objects);
    free(bytes);
    return objects;
}

static void check_capture(const char *from, const char *to, size_t padding)
{
    int error;
    json_t *objects = captured(from, to, padding, &error);
    json_t *first = json_array_get(objects, 0), *second = json_array_get(objects, 1);
    json_t *packet = json_object_get(first, "packet"), *frame = json_object_get(second, "frame");
    assert_int_equal(error, RELOAD_E_DECODE); /* zeros are no message, and that is said */
    assert_int_equal(json_array_size(objects), 2);
    assert_string_equal(json_string_value(json_object_get(packet, "from")), from);
    assert_string_equal(json_string_value(json_object_get(packet, "to")), to);
    assert_int_equal(json_integer_value(json_object_get(packet, "time_us")), 1700000000123000);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(first, "frame"), "ack_sequence")), 3);
    assert_int_equal(json_integer_value(json_object_get(frame, "length")), padding);
    assert_non_null(json_object_get(second, "error"));
    json_decref(objects);
}

static void frames_of_a_capture_are_printed_with_their_packets(void **state)
{
    (void)state;
    check_capture("192.0.2.1", "192.0.2.2", 40);
    check_capture("2001:db8::1", "2001:db8::2", 40);
}

static void frames_cut_at_the_ip_layer_are_put_together(void **state)
{
    (void)state;
    check_capture("192.0.2.1", "192.0.2.2", 64000);
    check_capture("2001:db8::1", "2001:db8::2", 64000);
}

/* --- by hand: a pcap file with one packet --- */

struct file {
    uint8_t bytes[400];
    size_t len;
};

static void put(struct file *f, const void *bytes, size_t n)
{
    memcpy(f->bytes + f->len, bytes, n);
    f->len += n;
}

static void begin(struct file *f, uint32_t link_type, uint32_t packet_len)
{
    uint32_t header[] = { 0xa1b2c3d4, 0x00040002, 0, 0, 65535, link_type };
    uint32_t record[] = { 1700000000, 5, packet_len, packet_len };
    f->len = 0;
    put(f, header, sizeof header);
    put(f, record, sizeof record);
}

#define IP_UDP                                                                                     \
    0x45, 0, 0, 37, 0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0x9c, 0x40, 0x17, 0xc4,  \
        0, 17, 0, 0
#define IP_TCP                                                                                     \
    0x45, 0, 0, 49, 0, 1, 0, 0, 64, 6, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0x17, 0xc4, 0x9c, 0x40,   \
        0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0

static size_t count(const struct file *f, int expected)
{
    json_t *objects;
    assert_int_equal(reload_decode_input(reload_slice_of(f->bytes, f->len), &options, &objects),
                     expected);
    size_t n = json_array_size(objects);
    json_decref(objects);
    return n;
}

static void udp_and_tcp_payloads_behind_known_link_headers_are_found(void **state)
{
    static const uint8_t udp[] = { IP_UDP }, tcp[] = { IP_TCP };
    static const struct {
        uint32_t type;
        size_t len;
    } links[] = { { 0, 4 }, { 1, 14 }, { 101, 0 }, { 113, 16 }, { 228, 0 } };
    static const uint8_t header[16];
    (void)state;
    for (size_t i = 0; i < 5; i++) {
        struct file f;
        begin(&f, links[i].type, (uint32_t)(links[i].len + sizeof udp + sizeof ack));
        put(&f, header, links[i].len);
        put(&f, udp, sizeof udp);
        put(&f, ack, sizeof ack);
        assert_int_equal(count(&f, 0), 1);
        begin(&f, links[i].type, (uint32_t)(links[i].len + sizeof tcp + sizeof ack));
        put(&f, header, links[i].len);
        put(&f, tcp, sizeof tcp);
        put(&f, ack, sizeof ack);
        assert_int_equal(count(&f, 0), 1);
    }
}

static void a_capture_cut_or_damaged_anywhere_does_no_harm(void **state)
{
    static const uint8_t udp[] = { IP_UDP };
    struct file f;
    (void)state;
    begin(&f, 101, sizeof udp + sizeof ack);
    put(&f, udp, sizeof udp);
    put(&f, ack, sizeof ack);
    for (size_t n = 4; n < f.len; n++) {
        struct file cut = f;
        cut.len = n;
        if (n == 24) /* a capture without packets */
            assert_int_equal(count(&cut, 0), 0);
        else
            assert_int_equal(count(&cut, RELOAD_E_DECODE), 1);
    }
    for (size_t i = 4; i < f.len; i++)
        for (unsigned value = 0; value < 256; value += 5) {
            json_t *objects;
            struct file bent = f;
            bent.bytes[i] = (uint8_t)value;
            (void)!reload_decode_input(reload_slice_of(bent.bytes, bent.len), &options, &objects);
            json_decref(objects);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_of_a_capture_are_printed_with_their_packets),
        cmocka_unit_test(frames_cut_at_the_ip_layer_are_put_together),
        cmocka_unit_test(udp_and_tcp_payloads_behind_known_link_headers_are_found),
        cmocka_unit_test(a_capture_cut_or_damaged_anywhere_does_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
