/* One end of an ICE channel as a program, for tests across network namespaces.
 *
 *   ice_channel ROLE [--stun ADDR:PORT] [--turn-udp ADDR:PORT] [--turn-tcp ADDR:PORT]
 *               [--turn-secret SECRET] [--relay-only]
 *
 * Writes "UFRAG PASSWORD CANDIDATES" (hexadecimal wire form), reads the far end's line, connects,
 * sends pings and answers those of the far end, then writes one JSON object and goes on answering
 * until standard input ends. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ice/ice.h"
#include "ice/turn.h"

#define LINE_MAX_LEN 8192
#define PINGS_WANTED 10
#define PING_MS      20
#define FAREWELL_MS  200
#define SETTLE_MS    1500 /* a better pair may take over from the first */

struct program {
    struct reload_ice *ice;
    struct reload_ice_channel *channel;
    GMainLoop *loop;
    char line[LINE_MAX_LEN];
    size_t line_len;
    bool introduced, told;
    unsigned int sent, pongs;
    gint64 began_us, gathered_us, introduced_us, connected_us, rtt_us;
    int status;
};

static void say_hello(struct program *p)
{
    struct reload_ice_candidate list[RELOAD_ICE_LOCAL_CANDIDATES_MAX];
    uint8_t bytes[LINE_MAX_LEN / 2];
    struct reload_writer w = reload_writer_of(bytes, sizeof bytes);
    size_t count = reload_ice_channel_candidates(p->channel, list, G_N_ELEMENTS(list));
    for (size_t i = 0; i < count; i++)
        if (reload_ice_candidate_encode(&w, &list[i]) != 0)
            exit(1);
    struct reload_slice ufrag = reload_ice_channel_ufrag(p->channel);
    struct reload_slice password = reload_ice_channel_password(p->channel);
    printf("%.*s %.*s ", (int)ufrag.n, (const char *)ufrag.p, (int)password.n,
           (const char *)password.p);
    for (size_t i = 0; i < w.len; i++)
        printf("%02x", bytes[i]);
    printf("\n");
}

static void tell(struct program *p, const char *error)
{
    struct reload_ice_pair pair = { 0 };
    char local[RELOAD_LINK_ADDRESS_TEXT], remote[RELOAD_LINK_ADDRESS_TEXT];
    if (p->told)
        return;
    p->told = true;
    if (error || reload_ice_channel_pair(p->channel, &pair) != 0) {
        printf("{\"connected\":false,\"error\":\"%s\"}\n", error ? error : "no pair");
        p->status = 1;
        return;
    }
    printf("{\"connected\":true,\"local\":\"%s\",\"remote\":\"%s\",\"relayed\":%s,"
           "\"local_address\":\"%s\",\"remote_address\":\"%s\",\"gather_ms\":%ld,\"connect_ms\":%"
           "ld,\"rtt_us\":%ld}\n",
           reload_ice_pair_type_text(pair.local_type), reload_ice_pair_type_text(pair.remote_type),
           pair.relayed ? "true" : "false", reload_link_address_text(&pair.local, local),
           reload_link_address_text(&pair.remote, remote),
           (long)((p->gathered_us - p->began_us) / 1000),
           (long)((p->connected_us - p->introduced_us) / 1000), (long)p->rtt_us);
}

static gboolean ping(gpointer data)
{
    struct program *p = data;
    char text[64];
    if (p->told)
        return G_SOURCE_REMOVE;
    int len = snprintf(text, sizeof text, "ping %lld", (long long)g_get_monotonic_time());
    (void)!reload_ice_channel_send(p->channel, reload_slice_of(text, (size_t)len));
    return G_SOURCE_CONTINUE;
}

static void on_datagram(struct program *p, struct reload_slice datagram)
{
    char text[64];
    if (datagram.n < 6 || datagram.n >= sizeof text)
        return;
    memcpy(text, datagram.p, datagram.n);
    text[datagram.n] = '\0';
    if (strncmp(text, "ping ", 5) == 0) {
        memcpy(text, "pong", 4);
        (void)!reload_ice_channel_send(p->channel, reload_slice_of(text, datagram.n));
    } else if (strncmp(text, "pong ", 5) == 0) {
        p->rtt_us = g_get_monotonic_time() - strtoll(text + 5, NULL, 10);
        bool settled = g_get_monotonic_time() - p->connected_us > SETTLE_MS * 1000;
        if (++p->pongs >= PINGS_WANTED && settled)
            tell(p, NULL);
    }
}

static gboolean on_events(gpointer data)
{
    struct program *p = data;
    struct reload_ice_event event;
    while (reload_ice_next(p->ice, &event)) {
        switch (event.type) {
        case RELOAD_ICE_EVENT_GATHERED:
            p->gathered_us = g_get_monotonic_time();
            say_hello(p);
            break;
        case RELOAD_ICE_EVENT_CONNECTED:
            p->connected_us = g_get_monotonic_time();
            g_timeout_add(PING_MS, ping, p);
            break;
        case RELOAD_ICE_EVENT_DATAGRAM: on_datagram(p, event.datagram); break;
        case RELOAD_ICE_EVENT_FAILED: tell(p, event.reason); break;
        }
    }
    return G_SOURCE_CONTINUE;
}

static void introduce(struct program *p)
{
    char ufrag[256], password[256], hex[LINE_MAX_LEN];
    uint8_t bytes[LINE_MAX_LEN / 2];
    size_t len = 0;
    unsigned int byte;
    if (sscanf(p->line, "%255s %255s %8191s", ufrag, password, hex) != 3)
        exit(2);
    while (sscanf(hex + 2 * len, "%2x", &byte) == 1)
        bytes[len++] = (uint8_t)byte;
    p->introduced = true;
    p->introduced_us = g_get_monotonic_time();
    int error = reload_ice_channel_set_remote(p->channel, reload_slice_of(ufrag, strlen(ufrag)),
                                              reload_slice_of(password, strlen(password)),
                                              reload_slice_of(bytes, len));
    if (error != 0)
        tell(p, reload_error_text(error));
}

static gboolean on_input(GIOChannel *input, GIOCondition condition, gpointer data)
{
    (void)input, (void)condition;
    struct program *p = data;
    ssize_t n = read(STDIN_FILENO, p->line + p->line_len, sizeof p->line - 1 - p->line_len);
    if (n <= 0) {
        p->told = true; /* ends the pings */
        g_main_loop_quit(p->loop);
        return G_SOURCE_REMOVE;
    }
    p->line_len += (size_t)n;
    p->line[p->line_len] = '\0';
    if (!p->introduced && strchr(p->line, '\n'))
        introduce(p);
    return G_SOURCE_CONTINUE;
}

static gboolean quit(gpointer loop)
{
    g_main_loop_quit(loop);
    return G_SOURCE_REMOVE;
}

static struct reload_link_address address_of(const char *text)
{
    char literal[64];
    unsigned int port = 0;
    struct reload_link_address address;
    if (sscanf(text, "%63[^:]:%u", literal, &port) != 2 ||
        reload_link_address_parse(literal, (uint16_t)port, &address) != 0) {
        fprintf(stderr, "not an address: %s\n", text);
        exit(2);
    }
    return address;
}

int main(int argc, char **argv)
{
    struct program p = { .loop = g_main_loop_new(NULL, FALSE) };
    struct reload_ice_channel_config config = { 0 };
    struct reload_link_address stun;
    struct reload_ice_turn_server turn[2];
    struct reload_ice_turn_credentials credentials = { 0 };
    const struct reload_node_id user = { 16, { 1 } };
    if (argc < 2)
        return 2;
    config.role =
        strcmp(argv[1], "controlling") == 0 ? RELOAD_ICE_CONTROLLING : RELOAD_ICE_CONTROLLED;
    for (int i = 2; i < argc; i++) {
        const char *value = i + 1 < argc ? argv[i + 1] : "";
        if (strcmp(argv[i], "--relay-only") == 0) {
            config.relay_only = true;
            continue;
        }
        if (strcmp(argv[i], "--stun") == 0) {
            stun = address_of(value);
            config.stun_server = &stun;
        } else if (strncmp(argv[i], "--turn-", 7) == 0 && strlen(argv[i]) == 10 &&
                   config.turn_server_count < 2) {
            turn[config.turn_server_count++] = (struct reload_ice_turn_server){
                .address = address_of(value),
                .transport = argv[i][7] == 't' ? RELOAD_ICE_TURN_TCP : RELOAD_ICE_TURN_UDP,
                .user_name = credentials.user_name,
                .password = credentials.password,
            };
        } else if (strcmp(argv[i], "--turn-secret") != 0 ||
                   reload_ice_turn_credentials(reload_slice_of(value, strlen(value)), &user,
                                               (uint64_t)g_get_real_time() / G_USEC_PER_SEC, 600,
                                               &credentials) != 0) {
            return 2;
        }
        i++;
    }
    config.turn_servers = turn;
    setvbuf(stdout, NULL, _IOLBF, 0);
    p.ice = reload_ice_new(NULL);
    p.began_us = g_get_monotonic_time();
    int error = reload_ice_channel_new(p.ice, &config, &p.channel);
    if (error != 0) {
        fprintf(stderr, "%s\n", reload_error_text(error));
        return 1;
    }
    GSource *events = reload_ice_source_new(p.ice);
    g_source_set_callback(events, on_events, &p, NULL);
    g_source_attach(events, NULL);
    GIOChannel *input = g_io_channel_unix_new(STDIN_FILENO);
    g_io_add_watch(input, G_IO_IN | G_IO_HUP, on_input, &p);
    g_main_loop_run(p.loop);
    g_source_destroy(events);
    g_source_unref(events);
    g_io_channel_unref(input);
    reload_ice_free(p.ice);
    g_timeout_add(FAREWELL_MS, quit, p.loop); /* TURN allocations are given back meanwhile */
    g_main_loop_run(p.loop);
    g_main_loop_unref(p.loop);
    return p.status;
}
