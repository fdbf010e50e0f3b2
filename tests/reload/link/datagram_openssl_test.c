#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/pem.h>

#include "net.h"
#include "people.h"
#include "reload/link/datagram.h"

/* A foreign DTLS client, `openssl s_client`, on a bare port: bytes of frames go in at its standard
 * input, one record each, and the frames that come out are compared byte for byte. */

static struct host b;
static struct reload_link_address bare_port;

static struct {
    pid_t pid;
    int in, out; /* its standard input, and its output */
} client;

static char folder[] = "/tmp/reload_openssl_XXXXXX";
static char certificate[64], key[64];

static void write_pem(const struct identity *identity)
{
    assert_non_null(mkdtemp(folder));
    snprintf(certificate, sizeof certificate, "%s/node.pem", folder);
    snprintf(key, sizeof key, "%s/node.key", folder);
    FILE *file = fopen(certificate, "w");
    assert_int_equal(PEM_write_X509(file, identity->x509), 1);
    fclose(file);
    file = fopen(key, "w");
    assert_int_equal(PEM_write_PrivateKey(file, identity->key, NULL, NULL, 0, NULL, NULL), 1);
    fclose(file);
}

/* False when openssl is not installed. */
static bool start_client(void)
{
    int to[2], from[2];
    char address[64];
    snprintf(address, sizeof address, "127.0.0.1:%u", (unsigned)bare_port.port);
    char *const argv[] = { "openssl", "s_client",  "-dtls1_2", "-quiet", "-connect", address,
                           "-cert",   certificate, "-key",     key,      NULL };
    assert_int_equal(pipe2(to, O_CLOEXEC), 0);
    assert_int_equal(pipe2(from, O_CLOEXEC), 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, to[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, from[1], STDOUT_FILENO);
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    int error = posix_spawnp(&client.pid, argv[0], &actions, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(to[0]);
    close(from[1]);
    client.in = to[1];
    client.out = from[0];
    assert_int_equal(fcntl(client.out, F_SETFL, O_NONBLOCK), 0);
    return error == 0;
}

static void stop_client(void)
{
    close(client.in);
    close(client.out);
    kill(client.pid, SIGTERM);
    assert_int_equal(waitpid(client.pid, NULL, 0), client.pid);
}

static int set_up(void **state)
{
    signal(SIGPIPE, SIG_IGN);
    people_set_up(state);
    write_pem(&alice);
    host_open(&b, &bob, NULL);
    struct reload_link_address any;
    assert_int_equal(reload_link_address_parse("127.0.0.1", 0, &any), 0);
    assert_int_equal(reload_links_listen_datagrams(b.links, &any, &bare_port), 0);
    net_hosts(&b, NULL);
    return 0;
}

static int tear_down(void **state)
{
    net_hosts(NULL, NULL);
    host_close(&b);
    unlink(certificate);
    unlink(key);
    rmdir(folder);
    people_tear_down(state);
    return 0;
}

static size_t bytes_of(const char *hex, uint8_t *out)
{
    size_t n = 0;
    unsigned byte;
    int step;
    for (; sscanf(hex, " %2x%n", &byte, &step) == 1; hex += step)
        out[n++] = (uint8_t)byte;
    return n;
}

/* What comes out must be exactly this; it may take a while. */
static void expect(const char *what, const char *hex)
{
    uint8_t wanted[256], got[256];
    size_t n = bytes_of(hex, wanted), have = 0;
    for (int i = 0; i < 5000 && have < n; i++) {
        net_turn();
        ssize_t more = read(client.out, got + have, sizeof got - have);
        have += more > 0 ? (size_t)more : 0;
    }
    if (have != n || memcmp(got, wanted, n) != 0) {
        printf("%s: expected %s, got", what, hex);
        for (size_t i = 0; i < have; i++)
            printf(" %02x", got[i]);
        printf("\n");
        fail();
    }
}

static void put(const char *hex)
{
    uint8_t bytes[256];
    size_t n = bytes_of(hex, bytes);
    assert_int_equal(write(client.in, bytes, n), n);
}

struct exchange {
    const char *what, *in, *out;
    size_t messages; /* reported by the end of it */
};

/* R6940-6.6.2-1 R6940-6.6.2-2 R6940-6.6.2-4 R6940-6.6.2-5 R6940-6.6.2-7 */
static const struct exchange exchanges[] = {
    { "the first message is acknowledged with an empty mask", "80 00000000 000005 68656c6c6f",
      "81 00000000 00000000", 1 },
    { "the next one's ack shows it in bit 1", "80 00000001 000002 6869", "81 00000001 00000002",
      2 },
    { "a gap shows as zero bits", "80 00000005 000001 35", "81 00000005 00000030", 3 },
    { "later numbers are not in the mask of an earlier one", "80 00000003 000001 33",
      "81 00000003 0000000c", 4 },
    { "an empty message is one", "80 00000006 000000", "81 00000006 0000006a", 5 },
    { "a repetition under a new number is acknowledged and not reported", "80 00000007 000001 33",
      "81 00000007 000000d6", 5 },
    { "a number 31 before is in the mask, one 32 before is not", "80 00000026 000001 26",
      "81 00000026 80000000", 6 },
    { "an ack for nothing is ignored", "81 00000009 ffffffff", "", 6 },
    { "an unknown frame type is ignored", "c8 00000001 000000", "", 6 },
    { "a frame cut short is ignored", "80 00000027 000005 6162", "", 6 },
    { "a frame with bytes behind it is ignored", "80 00000027 000001 61 62", "", 6 },
    { "and the link goes on, the next ack a witness", "80 00000028 000001 28",
      "81 00000028 00000004", 7 },
};

static void given_frames_in_the_exact_frames_come_out(void **state)
{
    (void)state;
    if (!start_client())
        skip(); /* openssl's command is not installed */
    assert_true(net_events(&b, RELOAD_LINK_UP, 1));
    assert_true(reload_node_id_equal(
        &b.peer.node_ids[0],
        &(struct reload_node_id){ .len = 16,
                                  .bytes = { 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa,
                                             0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa, 0xaa } }));
    for (size_t i = 0; i < sizeof exchanges / sizeof exchanges[0]; i++) {
        put(exchanges[i].in);
        expect(exchanges[i].what, exchanges[i].out);
        net_for_ms(20); /* its next write is a record of its own; and nothing more may come */
        expect(exchanges[i].what, "");
        assert_int_equal(b.count[RELOAD_LINK_MESSAGE], exchanges[i].messages);
    }
    uint8_t none[1];
    assert_int_equal(read(client.out, none, 1), -1);
    stop_client();
}

/* R6940-6.6.2-3 R6940-6.6.3.1-9 R6940-6.6.3.1-10 */
static void our_frames_come_with_new_numbers_until_one_is_acknowledged(void **state)
{
    (void)state;
    size_t ups = b.count[RELOAD_LINK_UP];
    if (!start_client())
        skip();
    assert_true(net_events(&b, RELOAD_LINK_UP, ups + 1));
    reload_link_id link = b.last[RELOAD_LINK_UP].link;
    assert_int_equal(host_send(&b, link, "abc", 3), 0);
    expect("the first transmission", "80 00000000 000003 616263");
    leap_ms += 500;
    expect("the first retransmission", "80 00000001 000003 616263");
    leap_ms += 1000;
    expect("the second retransmission", "80 00000002 000003 616263");
    put("81 00000001 00000000"); /* any of them will do */
    net_for_ms(20);
    leap_ms += 60000;
    net_for_ms(20);
    assert_int_equal(host_send(&b, link, "d", 1), 0);
    expect("the next message, and nothing before it", "80 00000003 000001 64");
    stop_client();
    assert_true(net_events(&b, RELOAD_LINK_DOWN, 1)); /* s_client said close_notify, or ICMP did */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_frames_in_the_exact_frames_come_out),
        cmocka_unit_test(our_frames_come_with_new_numbers_until_one_is_acknowledged),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
