#include "net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

uint64_t leap_ms;

static struct host *hosts[3];

static uint64_t clock_ms(clockid_t clock)
{
    struct timespec ts;
    clock_gettime(clock, &ts);
    return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

struct reload_time net_now(void)
{
    return (struct reload_time){ .monotonic_ms = clock_ms(CLOCK_MONOTONIC) + leap_ms,
                                 .unix_ms = clock_ms(CLOCK_REALTIME) };
}

void host_open(struct host *host, struct identity *identity, const struct host_options *options)
{
    memset(host, 0, sizeof *host);
    struct reload_links_config config = { .identity = &pki_ops,
                                          .identity_context = identity,
                                          .max_message_size = 5000 };
    if (options) {
        if (options->max_message_size)
            config.max_message_size = options->max_message_size;
        config.limits = options->limits;
        config.path_mtu = options->path_mtu;
        config.stop_and_wait = options->stop_and_wait;
        config.pcap = options->pcap;
        config.log = options->log;
    }
    int status = reload_links_new(&config, &host->links);
    must(status == 0);
    struct reload_link_address any;
    status = reload_link_address_parse("127.0.0.1", 0, &any);
    must(status == 0);
    status = reload_links_listen(host->links, &any, RELOAD_LINK_SERVER, &host->at);
    must(status == 0 && host->at.port != 0);
}

void host_close(struct host *host)
{
    reload_links_free(host->links);
    host->links = NULL;
}

reload_link_id host_dial(struct host *host, const struct reload_link_address *to,
                         const struct reload_node_id *expected)
{
    reload_link_id id = 0;
    int status =
        reload_links_dial(host->links, to, 1, expected, RELOAD_LINK_CLIENT, net_now(), &id);
    must(status == 0 && id != 0);
    return id;
}

struct reload_links_stats host_stats(struct host *host)
{
    struct reload_links_stats stats;
    reload_links_stats(host->links, &stats);
    return stats;
}

struct reload_link_info host_info(struct host *host, reload_link_id id)
{
    struct reload_link_info info;
    if (reload_links_info(host->links, id, &info))
        abort();
    return info;
}

int host_send(struct host *host, reload_link_id id, const void *p, size_t n)
{
    struct reload_slice part = { p, n };
    return reload_links_send(host->links, id, &part, 1, net_now());
}

void net_hosts(struct host *a, struct host *b)
{
    hosts[0] = a;
    hosts[1] = b;
}

uint64_t bytes_hashed(uint64_t hash, const uint8_t *p, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ p[i]) * UINT64_C(0x100000001b3) + 1;
    return hash;
}

static void record(struct host *host, const struct reload_link_event *event)
{
    host->count[event->type]++;
    host->last[event->type] = *event;
    if (event->type == RELOAD_LINK_UP)
        host->peer = *event->peer;
    if (event->type == RELOAD_LINK_DOWN)
        snprintf(host->reason, sizeof host->reason, "%s", event->reason);
    if (event->type == RELOAD_LINK_BYTES) {
        host->bytes_len += event->message.n;
        host->bytes_hash = bytes_hashed(host->bytes_hash, event->message.p, event->message.n);
    } else if (event->type != RELOAD_LINK_MESSAGE && event->type != RELOAD_LINK_OVERSIZE &&
               event->type != RELOAD_LINK_RETURNED) {
        return;
    }
    must(event->message.n <= sizeof host->message);
    host->message_len = event->message.n;
    if (event->message.n)
        memcpy(host->message, event->message.p, event->message.n);
    if (host->numbered) {
        uint32_t number;
        must(event->message.n >= 4);
        memcpy(&number, event->message.p, 4);
        must(number == host->next_number);
        host->next_number++;
    }
}

static void run_host(struct host *host)
{
    reload_links_process(host->links, net_now());
    struct reload_link_event event;
    while (reload_links_next(host->links, &event))
        record(host, &event);
}

void net_turn(void)
{
    struct pollfd fds[2];
    nfds_t n = 0;
    for (size_t i = 0; hosts[i] && i < 2; i++)
        if (!hosts[i]->deaf)
            fds[n++] = (struct pollfd){ .fd = reload_links_fd(hosts[i]->links), .events = POLLIN };
    poll(fds, n, 1);
    for (size_t i = 0; hosts[i] && i < 2; i++)
        if (!hosts[i]->deaf)
            run_host(hosts[i]);
}

bool net_until(bool (*condition)(void *arg), void *arg)
{
    uint64_t end_ms = clock_ms(CLOCK_MONOTONIC) + 20000;
    while (!condition(arg)) {
        if (clock_ms(CLOCK_MONOTONIC) > end_ms)
            return false;
        net_turn();
    }
    return true;
}

struct awaited {
    struct host *host;
    enum reload_link_event_type type;
    size_t wanted;
};

static bool had(void *arg)
{
    const struct awaited *awaited = arg;
    return awaited->host->count[awaited->type] >= awaited->wanted;
}

bool net_events(struct host *host, enum reload_link_event_type type, size_t wanted)
{
    struct awaited awaited = { host, type, wanted };
    return net_until(had, &awaited);
}

void net_for_ms(unsigned ms)
{
    uint64_t end_ms = clock_ms(CLOCK_MONOTONIC) + ms;
    for (int turns = 0; turns < 10 || clock_ms(CLOCK_MONOTONIC) < end_ms; turns++)
        net_turn(); /* a busy machine gets its turns too */
}

int net_connect(const struct reload_link_address *to)
{
    return net_connect_with(to, 0);
}

int net_connect_with(const struct reload_link_address *to, int receive_buffer)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && receive_buffer)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(to->port) };
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || connect(fd, (struct sockaddr *)&in, sizeof in) < 0) {
        if (fd >= 0)
            close(fd);
        return -1;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
    return fd;
}

void raw_open(struct raw *raw, struct identity *identity, const struct reload_link_address *to)
{
    raw_open_on(raw, identity, net_connect(to));
}

void raw_prepare(struct raw *raw, struct identity *identity, int fd)
{
    memset(raw, 0, sizeof *raw);
    raw->fd = fd;
    must(raw->fd >= 0);
    int status = reload_engine_context_new(&pki_ops, identity, NULL, &raw->context);
    must(status == 0);
    status = reload_engine_new(raw->context, RELOAD_LINK_CLIENT, NULL, &raw->engine);
    must(status == 0);
    raw->status = RELOAD_ENGINE_WANT;
}

void raw_open_on(struct raw *raw, struct identity *identity, int fd)
{
    raw_prepare(raw, identity, fd);
    raw_turn(raw);
}

static void raw_push(struct raw *raw)
{
    struct reload_buffer *output = reload_engine_output(raw->engine);
    while (reload_buffer_len(output) > 0) {
        ssize_t n = send(raw->fd, output->p + output->start, reload_buffer_len(output),
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n <= 0)
            return;
        reload_buffer_consume(output, (size_t)n);
    }
}

static void raw_advance(struct raw *raw)
{
    if (!raw->up) {
        raw->status = reload_engine_handshake(raw->engine, net_now());
        raw->up = raw->status == 0;
    }
    while (raw->up && raw->status == 0) {
        size_t n;
        raw->status = reload_engine_read(raw->engine, raw->got + raw->got_len,
                                         sizeof raw->got - raw->got_len, &n, net_now());
        raw->got_len += n;
    }
    if (raw->up && raw->status == RELOAD_ENGINE_WANT)
        raw->status = 0;
}

void raw_turn(struct raw *raw)
{
    static uint8_t bytes[65536];
    ssize_t n = recv(raw->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (n == 0 || (n < 0 && errno != EAGAIN))
        raw->ended = true;
    if (n > 0)
        reload_engine_input(raw->engine, reload_slice_of(bytes, (size_t)n));
    raw_advance(raw);
    raw_push(raw);
    net_turn();
}

bool raw_until_up(struct raw *raw)
{
    for (int i = 0; i < 2000 && !raw->up; i++)
        raw_turn(raw);
    return raw->up;
}

void raw_write(struct raw *raw, const void *p, size_t n)
{
    int status = reload_engine_write(raw->engine, reload_slice_of(p, n));
    must(status == 0);
    raw_push(raw);
}

void raw_close(struct raw *raw)
{
    close(raw->fd);
    reload_engine_free(raw->engine);
    reload_engine_context_free(raw->context);
}
