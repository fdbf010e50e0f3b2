#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net.h"
#include "people.h"
#include "reload/frame/frame.h"
#include "reload/link/datagram.h"

static const struct reload_time at = { .monotonic_ms = 5, .unix_ms = 1700000000123 };

/* A Ping request (RFC 6940 s6.5.3) to Node-ID 2222..., unsigned. */
static const uint8_t ping[] = { 0xd2, 0x45, 0x4c, 0x4f, 0x9a, 0xa3, 0x2b, 0x8d, 0x00, 0x11, 0x0a,
                                0x64, 0xc0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x4d, 0x01, 0x02,
                                0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00,
                                0x00, 0x00, 0x12, 0x00, 0x00, 0x01, 0x10, 0x22, 0x22, 0x22, 0x22,
                                0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22, 0x22,
                                0x22, 0x00, 0x17, 0x00, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00,
                                0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00, 0x00 };

#define TRANSACTION_AT 20

static char path[64];

static struct reload_pcap *open_capture(void)
{
    snprintf(path, sizeof path, "/tmp/reload_pcap_XXXXXX");
    int fd = mkstemp(path);
    assert_int_equal(fchmod(fd, 0644), 0);
    close(fd);
    struct reload_pcap *pcap;
    assert_int_equal(reload_pcap_open(path, &pcap), 0);
    return pcap;
}

static int remove_capture(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static size_t read_back(uint8_t *out, size_t cap)
{
    FILE *file = fopen(path, "r");
    size_t n = fread(out, 1, cap, file);
    fclose(file);
    return n;
}

static struct reload_link_address address(const char *literal, uint16_t port)
{
    struct reload_link_address out;
    assert_int_equal(reload_link_address_parse(literal, port, &out), 0);
    return out;
}

static uint32_t word(const uint8_t *p)
{
    uint32_t v;
    memcpy(&v, p, 4);
    return v;
}

/* One's complement sum of 16-bit words; a right packet gives 0xffff. */
static uint32_t ones_sum(const uint8_t *p, size_t n, uint32_t sum)
{
    for (size_t i = 0; i < n; i++)
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return sum;
}

static void packets_carry_right_lengths_addresses_and_checksums(void **state)
{
    (void)state;
    static const char *const far[] = { "192.0.2.1", "2001:db8::1" };
    static const char *const local[] = { "198.51.100.7", "2001:db8::7" };
    for (size_t i = 0; i < 2; i++) {
        for (size_t len = 0; len < 6; len++) {
            struct reload_pcap *pcap = open_capture();
            struct reload_link_address from = address(far[i], 40000);
            struct reload_link_address to = address(local[i], 5555);
            struct reload_slice parts[] = { { ping, len }, { ping, 1 } };
            reload_pcap_write(pcap, at, &from, &to, false, parts, 2);
            assert_int_equal(reload_pcap_error(pcap), 0);
            reload_pcap_close(pcap);
            uint8_t file[256];
            size_t n = read_back(file, sizeof file), ip_len = i ? 40 : 20, udp_len = 8 + len + 1;
            assert_int_equal(n, 24 + 16 + ip_len + udp_len);
            assert_int_equal(word(file), 0xa1b2c3d4);
            assert_int_equal(word(file + 20), 101);
            assert_int_equal(word(file + 24), 1700000000);
            assert_int_equal(word(file + 28), 123000);
            assert_int_equal(word(file + 32), ip_len + udp_len);
            assert_int_equal(word(file + 36), ip_len + udp_len);
            const uint8_t *ip = file + 40, *udp = ip + ip_len;
            assert_memory_equal(ip + (i ? 8 : 12), from.bytes, from.len);
            assert_memory_equal(ip + (i ? 24 : 16), to.bytes, to.len);
            assert_int_equal(udp[0] << 8 | udp[1], 40000);
            assert_int_equal(udp[2] << 8 | udp[3], 6084); /* the listener's, whatever it is */
            assert_int_equal(udp[4] << 8 | udp[5], udp_len);
            if (i == 0)
                assert_int_equal(ones_sum(ip, 20, 0), 0xffff);
            uint32_t pseudo = ones_sum(ip + (i ? 8 : 12), 2 * (size_t)from.len, 0);
            assert_int_equal(ones_sum(udp, udp_len, pseudo + 17 + (uint32_t)udp_len), 0xffff);
            unlink(path);
        }
    }
}

static void the_capture_is_private_and_bad_paths_are_errors(void **state)
{
    (void)state;
    struct reload_pcap *pcap = open_capture();
    struct stat stat_buf;
    assert_int_equal(stat(path, &stat_buf), 0);
    assert_int_equal(stat_buf.st_mode & 0777, 0600); /* it was 0644 before */
    reload_pcap_close(pcap);
    assert_int_equal(reload_pcap_open("/nonexistent/capture", &pcap), RELOAD_E_IO);
    reload_pcap_close(NULL);
}

static void a_frame_above_a_udp_packet_is_left_out_and_counted(void **state)
{
    (void)state;
    struct reload_pcap *pcap = open_capture();
    static uint8_t big[65508];
    struct reload_link_address from = address("192.0.2.1", 1), to = address("192.0.2.2", 2);
    struct reload_slice part = { big, 65507 };
    reload_pcap_write(pcap, at, &from, &to, true, &part, 1);
    assert_int_equal(reload_pcap_left_out(pcap), 0);
    part.n++;
    reload_pcap_write(pcap, at, &from, &to, true, &part, 1);
    assert_int_equal(reload_pcap_left_out(pcap), 1);
    part.n = SIZE_MAX;
    struct reload_slice parts[] = { part, part };
    reload_pcap_write(pcap, at, &from, &to, true, parts, 2);
    assert_int_equal(reload_pcap_left_out(pcap), 2);
    reload_pcap_flush(pcap);
    struct stat stat_buf;
    assert_int_equal(stat(path, &stat_buf), 0);
    assert_int_equal(stat_buf.st_size, 24 + 16 + 65535);
    reload_pcap_close(pcap);
}

static reload_link_id dial_bare_port(struct host *from, struct host *to)
{
    struct reload_link_address any, bare;
    reload_link_id id = 0;
    assert_int_equal(reload_link_address_parse("127.0.0.1", 0, &any), 0);
    assert_int_equal(reload_links_listen_datagrams(to->links, &any, &bare), 0);
    assert_int_equal(reload_links_dial_datagrams(from->links, &bare, 1, NULL, net_now(), &id), 0);
    return id;
}

/* Two peers ping each other over TLS or DTLS while one of them captures. */
static void talk_and_capture(size_t messages, bool dtls)
{
    static struct host a, b;
    struct reload_pcap *pcap = open_capture();
    struct host_options options = { .pcap = pcap };
    host_open(&a, &alice, NULL);
    host_open(&b, &bob, &options);
    net_hosts(&a, &b);
    reload_link_id id = dtls ? dial_bare_port(&a, &b) : host_dial(&a, &b.at, NULL);
    assert_true(net_events(&a, RELOAD_LINK_UP, 1));
    assert_true(net_events(&b, RELOAD_LINK_UP, 1));
    for (size_t i = 0; i < messages; i++) {
        uint8_t message[sizeof ping]; /* with a transaction id of its own */
        memcpy(message, ping, sizeof ping);
        message[TRANSACTION_AT] ^= (uint8_t)i;
        assert_int_equal(host_send(&a, id, message, sizeof message), 0);
        assert_int_equal(host_send(&b, b.last[RELOAD_LINK_UP].link, message, sizeof message), 0);
        assert_true(net_events(&a, RELOAD_LINK_MESSAGE, i + 1));
        assert_true(net_events(&b, RELOAD_LINK_MESSAGE, i + 1));
    }
    net_for_ms(20);
    net_hosts(NULL, NULL);
    host_close(&a);
    host_close(&b);
    reload_pcap_close(pcap);
}

/* Starts tshark; its output comes through *out. The process id, or 0 when it is not installed. */
static pid_t start(char *const argv[], FILE **out)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addclose(&actions, ends[0]);
    pid_t pid = 0;
    int error = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    *out = fdopen(ends[0], "r");
    return error ? 0 : pid;
}

/* Lines that tshark prints for the packets a filter takes; -1 when it is missing or fails. */
static int tshark(const char *filter)
{
    char *const argv[] = { "tshark", "-n",
                           "-r",     path,
                           "-Y",     (char *)(uintptr_t)filter,
                           "-o",     "udp.check_checksum:TRUE",
                           "-o",     "ip.check_checksum:TRUE",
                           "-T",     "fields",
                           "-e",     "udp.port",
                           NULL };
    FILE *out;
    pid_t pid = start(argv, &out);
    char line[1024];
    int count = 0, status = -1;
    while (fgets(line, sizeof line, out))
        count += strstr(line, "6084") != NULL;
    fclose(out);
    if (pid > 0)
        assert_int_equal(waitpid(pid, &status, 0), pid);
    return status == 0 ? count : -1;
}

static void check_capture(bool dtls)
{
    talk_and_capture(10, dtls);
    int frames = tshark("reload-framing");
    if (frames < 0)
        skip();                   /* tshark is not installed */
    assert_int_equal(frames, 40); /* 20 messages, 20 acks */
    assert_int_equal(tshark("reload_framing.type == 128"), 20);
    assert_int_equal(tshark("reload_framing.type == 129"), 20);
    assert_int_equal(tshark("reload.forwarding.token == 0xd2454c4f"), 20);
    assert_int_equal(tshark("reload_framing.sequence == 9"), 2);
    assert_int_equal(tshark("reload_framing.ack_sequence == 9"), 2);
    assert_int_equal(tshark("_ws.malformed"), 0);
    assert_int_equal(tshark("udp.checksum.status == 0 || ip.checksum.status == 0"), 0);
    assert_int_equal(tshark("udp.checksum.status == 1 && ip.checksum.status == 1"), 40);
}

static void wireshark_reads_every_frame_of_a_link(void **state)
{
    (void)state;
    check_capture(false);
}

static void wireshark_reads_every_frame_of_a_dtls_link(void **state)
{
    (void)state;
    check_capture(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(packets_carry_right_lengths_addresses_and_checksums,
                                  remove_capture),
        cmocka_unit_test_teardown(the_capture_is_private_and_bad_paths_are_errors, remove_capture),
        cmocka_unit_test_teardown(a_frame_above_a_udp_packet_is_left_out_and_counted,
                                  remove_capture),
        cmocka_unit_test_teardown(wireshark_reads_every_frame_of_a_link, remove_capture),
        cmocka_unit_test_teardown(wireshark_reads_every_frame_of_a_dtls_link, remove_capture),
    };
    return cmocka_run_group_tests(tests, people_set_up, people_tear_down);
}
