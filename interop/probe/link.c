#include "interop/probe/link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "interop/probe/memory.h"
#include "interop/probe/socket.h"

#define DATA      0x80
#define ACK       0x81
#define DATA_HEAD 8
#define ACK_LEN   9
#define WRITE_MS  3000

struct reload_time probe_now(void)
{
    struct timespec steady, wall;
    clock_gettime(CLOCK_MONOTONIC, &steady);
    clock_gettime(CLOCK_REALTIME, &wall);
    return (struct reload_time){ (uint64_t)steady.tv_sec * 1000 +
                                     (uint64_t)steady.tv_nsec / 1000000,
                                 (uint64_t)wall.tv_sec * 1000 + (uint64_t)wall.tv_nsec / 1000000 };
}

static void put32(uint8_t *out, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(v >> (24 - 8 * i));
}

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* --- to the network --- */

static void push_stream(struct probe_link *link)
{
    struct reload_buffer *out = reload_engine_output(link->engine);
    while (reload_buffer_len(out) && !link->closed) {
        ssize_t n = send(link->fd, out->p + out->start, reload_buffer_len(out), MSG_NOSIGNAL);
        struct pollfd wait = { link->fd, POLLOUT, 0 };
        if (n > 0)
            reload_buffer_consume(out, (size_t)n);
        else if (errno != EAGAIN || poll(&wait, 1, WRITE_MS) <= 0)
            link->closed = true;
    }
}

static void push_datagrams(struct probe_link *link)
{
    struct reload_slice datagram;
    struct sockaddr_storage far;
    socklen_t len = probe_sockaddr(&link->far, &far);
    while (reload_engine_datagram_next(link->engine, &datagram, 1)) {
        if (sendto(link->fd, datagram.p, datagram.n, MSG_NOSIGNAL, (struct sockaddr *)&far, len) <
                0 &&
            errno == ECONNREFUSED)
            link->closed = true;
        reload_engine_datagram_sent(link->engine, 1);
    }
}

static void push(struct probe_link *link)
{
    if (link->datagrams)
        push_datagrams(link);
    else
        push_stream(link);
}

void probe_link_write(struct probe_link *link, struct reload_slice plain)
{
    if (!link->closed && reload_engine_write(link->engine, plain))
        link->closed = true;
    push(link);
}

void probe_link_send(struct probe_link *link, struct reload_slice message)
{
    struct reload_buffer frame = { 0 };
    uint8_t head[DATA_HEAD] = { DATA };
    put32(head + 1, link->next++);
    head[5] = (uint8_t)(message.n >> 16);
    head[6] = (uint8_t)(message.n >> 8);
    head[7] = (uint8_t)message.n;
    probe_append(&frame, reload_slice_of(head, sizeof head));
    probe_append(&frame, message);
    probe_link_write(link, probe_buffer_slice(&frame));
    reload_buffer_free(&frame);
}

/* --- from the network --- */

static void acknowledge(struct probe_link *link, uint32_t sequence)
{
    uint8_t ack[ACK_LEN] = { ACK };
    uint32_t mask = 0;
    size_t n =
        link->received_count < PROBE_RECEIVED_MAX ? link->received_count : PROBE_RECEIVED_MAX;
    for (size_t i = 0; i < n; i++) {
        uint32_t before = sequence - link->received[i];
        if (before >= 1 && before <= 31)
            mask |= 1u << before;
    }
    link->received[link->received_count++ % PROBE_RECEIVED_MAX] = sequence;
    put32(ack + 1, sequence);
    put32(ack + 5, mask);
    probe_link_write(link, reload_slice_of(ack, sizeof ack));
}

/* One frame off the front; how many bytes it was, 0 when it is not whole yet. */
static size_t take_frame(struct probe_link *link, struct reload_slice bytes)
{
    if (bytes.n >= ACK_LEN && bytes.p[0] == ACK) {
        if (link->ack_count < PROBE_ACKS_MAX)
            memcpy(link->acks[link->ack_count++].bytes, bytes.p + 1, ACK_LEN - 1);
        return ACK_LEN;
    }
    if (bytes.n < DATA_HEAD || bytes.p[0] != DATA)
        return 0;
    size_t len = (size_t)bytes.p[5] << 16 | (size_t)bytes.p[6] << 8 | bytes.p[7];
    if (bytes.n - DATA_HEAD < len)
        return 0;
    acknowledge(link, get32(bytes.p + 1));
    link->message(link->context, link, reload_slice_of(bytes.p + DATA_HEAD, len));
    return DATA_HEAD + len;
}

static void take_plain(struct probe_link *link, struct reload_slice plain)
{
    size_t n;
    if (link->datagrams)
        reload_buffer_free(&link->plain); /* a frame never spans two records */
    probe_append(&link->plain, plain);
    while ((n = take_frame(link, probe_buffer_slice(&link->plain))))
        reload_buffer_consume(&link->plain, n);
}

static void read_all(struct probe_link *link)
{
    static uint8_t plain[1 << 15];
    size_t len;
    int status = 0;
    while (!link->closed &&
           (status = reload_engine_read(link->engine, plain, sizeof plain, &len, probe_now())) == 0)
        take_plain(link, reload_slice_of(plain, len));
    if (status != RELOAD_ENGINE_WANT)
        link->closed = true;
}

void probe_link_go_on(struct probe_link *link)
{
    if (link->datagrams && !link->up && reload_engine_datagram_deadline(link->engine, 0) == 0)
        (void)!reload_engine_datagram_tick(link->engine, probe_now());
    if (!link->up && !link->closed) {
        int status = reload_engine_handshake(link->engine, probe_now());
        link->up = status == 0;
        link->closed = status != 0 && status != RELOAD_ENGINE_WANT;
    }
    push(link);
}

void probe_link_input(struct probe_link *link, struct reload_slice bytes)
{
    reload_engine_input(link->engine, bytes);
    probe_link_go_on(link);
    if (link->up)
        read_all(link);
    push(link);
}

void probe_link_close(struct probe_link *link)
{
    if (link->engine && link->up && !link->closed) {
        reload_engine_close(link->engine);
        push(link);
    }
    reload_engine_free(link->engine);
    reload_buffer_free(&link->plain);
    if (link->fd >= 0 && !link->shared)
        close(link->fd);
    link->engine = NULL;
    link->fd = -1;
    link->closed = true;
}

struct reload_slice probe_link_far_id(const struct probe_link *link)
{
    if (!link->up || !link->engine)
        return (struct reload_slice){ 0 };
    return reload_node_id_slice(&reload_engine_peer(link->engine)->node_ids[0]);
}
