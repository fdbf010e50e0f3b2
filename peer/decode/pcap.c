#include <arpa/inet.h>
#include <stdlib.h>

#include "peer/decode/print.h"

/* Classic pcap files: RELOAD frames in UDP or TCP payloads to or from port 6084 (RFC 6940 s14.2).
 * That is what `reload peer --pcap` writes, IP fragments included, and what tcpdump makes of an
 * unencrypted test link. A TCP payload counts only when it starts with a frame. */

#define RELOAD_PORT     6084
#define FRAGMENTS_MAX   16 /* datagrams under way at a time; the oldest gives way */
#define DATAGRAM_MAX    65535
#define PCAP_HEADER_LEN 24

enum link_type {
    LINK_NULL = 0,
    LINK_ETHERNET = 1,
    LINK_RAW = 101,
    LINK_SLL = 113,
    LINK_IPV4 = 228,
    LINK_IPV6 = 229
};

struct datagram {    /* an IP payload being put together */
    uint8_t key[37]; /* addresses and identification */
    uint8_t protocol;
    uint8_t *bytes;
    size_t len, total; /* received; 0 until the last fragment came */
};

struct capture {
    const struct reload_decode_options *options;
    json_t *out;
    bool swapped, nanoseconds;
    uint32_t link_type;
    struct datagram pending[FRAGMENTS_MAX];
    size_t next;   /* to give way */
    size_t number; /* of the packet, from 1 as Wireshark counts */
    uint64_t time_us;
    int result;
};

struct ip_packet {
    struct reload_slice source, destination, payload;
    uint8_t protocol;
    uint32_t id;
    size_t offset;
    bool more;
};

static uint32_t u32(const struct capture *c, struct reload_reader *r)
{
    uint32_t n = reload_rd_u32(r);
    return c->swapped ? __builtin_bswap32(n) : n;
}

static json_t *packet_note(const struct capture *c, const struct ip_packet *ip, uint16_t from,
                           uint16_t to)
{
    char source[INET6_ADDRSTRLEN] = "", destination[INET6_ADDRSTRLEN] = "";
    int family = ip->source.n == 4 ? AF_INET : AF_INET6;
    inet_ntop(family, ip->source.p, source, sizeof source);
    inet_ntop(family, ip->destination.p, destination, sizeof destination);
    return json_pack("{s:{s:I,s:I,s:s,s:i,s:s,s:i}}", "packet", "number", (json_int_t)c->number,
                     "time_us", (json_int_t)c->time_us, "from", source, "from_port", from, "to",
                     destination, "to_port", to);
}

static void transport(struct capture *c, const struct ip_packet *ip)
{
    struct reload_reader r = reload_reader_over(ip->payload);
    uint16_t from = reload_rd_u16(&r), to = reload_rd_u16(&r);
    if (ip->protocol == IPPROTO_UDP) {
        reload_rd_bytes(&r, 4); /* length, checksum */
    } else if (ip->protocol == IPPROTO_TCP) {
        reload_rd_bytes(&r, 8);
        size_t header = (size_t)(reload_rd_u8(&r) >> 4) * 4;
        reload_rd_bytes(&r, header > 13 ? header - 13 : 0);
    } else {
        return;
    }
    struct reload_slice bytes = reload_rd_rest(&r);
    if (reload_reader_status(&r) || bytes.n == 0 || (from != RELOAD_PORT && to != RELOAD_PORT))
        return;
    if (ip->protocol == IPPROTO_TCP && bytes.p[0] != 0x80 && bytes.p[0] != 0x81)
        return;
    json_t *note = packet_note(c, ip, from, to);
    int error = reload_decode_bytes(bytes, c->options, note, c->out);
    json_decref(note);
    if (error && c->result != RELOAD_E_NOMEM)
        c->result = error;
}

static struct datagram *find_datagram(struct capture *c, const struct ip_packet *ip)
{
    uint8_t key[37] = { ip->protocol, (uint8_t)(ip->id >> 24), (uint8_t)(ip->id >> 16),
                        (uint8_t)(ip->id >> 8), (uint8_t)ip->id };
    memcpy(key + 5, ip->source.p, ip->source.n);
    memcpy(key + 21, ip->destination.p, ip->destination.n);
    for (size_t i = 0; i < FRAGMENTS_MAX; i++)
        if (c->pending[i].bytes && memcmp(c->pending[i].key, key, sizeof key) == 0)
            return &c->pending[i];
    struct datagram *d = &c->pending[c->next++ % FRAGMENTS_MAX];
    free(d->bytes);
    *d = (struct datagram){ .protocol = ip->protocol, .bytes = calloc(1, DATAGRAM_MAX) };
    memcpy(d->key, key, sizeof key);
    return d;
}

static void fragment(struct capture *c, struct ip_packet *ip)
{
    struct datagram *d = find_datagram(c, ip);
    if (!d->bytes || ip->offset + ip->payload.n > DATAGRAM_MAX)
        return;
    if (ip->payload.n)
        memcpy(d->bytes + ip->offset, ip->payload.p, ip->payload.n);
    d->len += ip->payload.n;
    if (!ip->more)
        d->total = ip->offset + ip->payload.n;
    if (d->total == 0 || d->len < d->total)
        return;
    ip->payload = reload_slice_of(d->bytes, d->total);
    transport(c, ip);
    free(d->bytes);
    *d = (struct datagram){ 0 };
}

static bool parse_ipv4(struct reload_reader *r, struct ip_packet *ip)
{
    struct reload_reader start = *r;
    size_t header = (size_t)(reload_rd_u8(r) & 15) * 4;
    reload_rd_u8(r);
    size_t total = reload_rd_u16(r);
    ip->id = reload_rd_u16(r);
    uint16_t flags = reload_rd_u16(r);
    ip->more = flags & 0x2000;
    ip->offset = (size_t)(flags & 0x1fff) * 8;
    reload_rd_u8(r);
    ip->protocol = reload_rd_u8(r);
    reload_rd_u16(r);
    ip->source = reload_rd_bytes(r, 4);
    ip->destination = reload_rd_bytes(r, 4);
    if (reload_reader_status(r) || header < 20 || total < header)
        return false;
    reload_rd_bytes(&start, header);
    ip->payload = reload_rd_bytes(&start, total - header);
    return reload_reader_status(&start) == 0;
}

static bool parse_ipv6(struct reload_reader *r, struct ip_packet *ip)
{
    reload_rd_u32(r);
    size_t len = reload_rd_u16(r);
    ip->protocol = reload_rd_u8(r);
    reload_rd_u8(r);
    ip->source = reload_rd_bytes(r, 16);
    ip->destination = reload_rd_bytes(r, 16);
    struct reload_reader payload = reload_reader_over(reload_rd_bytes(r, len));
    if (ip->protocol == IPPROTO_FRAGMENT) {
        ip->protocol = reload_rd_u8(&payload);
        reload_rd_u8(&payload);
        uint16_t offset = reload_rd_u16(&payload);
        ip->offset = offset & 0xfff8u;
        ip->more = offset & 1;
        ip->id = reload_rd_u32(&payload);
    }
    ip->payload = reload_rd_rest(&payload);
    return reload_reader_status(r) == 0 && reload_reader_status(&payload) == 0;
}

static void packet(struct capture *c, struct reload_slice bytes)
{
    static const struct {
        uint32_t type;
        size_t skip;
    } links[] = {
        { LINK_NULL, 4 }, { LINK_ETHERNET, 14 }, { LINK_RAW, 0 },
        { LINK_SLL, 16 }, { LINK_IPV4, 0 },      { LINK_IPV6, 0 },
    };
    struct reload_reader r = reload_reader_over(bytes);
    for (size_t i = 0; i < sizeof links / sizeof links[0]; i++)
        if (links[i].type == c->link_type)
            reload_rd_bytes(&r, links[i].skip);
    struct ip_packet ip = { 0 };
    uint8_t version = reload_rd_peek_u8(&r) >> 4;
    if (!(version == 4 && parse_ipv4(&r, &ip)) && !(version == 6 && parse_ipv6(&r, &ip)))
        return;
    if (ip.more || ip.offset)
        fragment(c, &ip);
    else
        transport(c, &ip);
}

static void cut_short(struct capture *c, size_t offset)
{
    json_array_append_new(c->out, json_pack("{s:{s:I,s:s}}", "error", "offset", (json_int_t)offset,
                                            "what", "packet record is cut short"));
    c->result = RELOAD_E_DECODE;
}

int reload_decode_pcap(struct reload_slice file, const struct reload_decode_options *options,
                       json_t *out)
{
    struct capture c = { .options = options, .out = out };
    struct reload_reader r = reload_reader_over(file);
    uint32_t magic = reload_rd_u32(&r);
    c.swapped = magic == 0xd4c3b2a1 || magic == 0x4d3cb2a1;
    c.nanoseconds = magic == 0xa1b23c4d || magic == 0x4d3cb2a1;
    reload_rd_bytes(&r, PCAP_HEADER_LEN - 8);
    c.link_type = u32(&c, &r) & 0xffff;
    while (reload_reader_more(&r)) {
        size_t at = (size_t)(r.p - file.p);
        uint64_t seconds = u32(&c, &r), part = u32(&c, &r);
        uint32_t len = u32(&c, &r);
        u32(&c, &r); /* original length */
        struct reload_slice bytes = reload_rd_bytes(&r, len);
        if (reload_reader_status(&r)) {
            cut_short(&c, at);
            break;
        }
        c.number++;
        c.time_us = seconds * 1000000 + (c.nanoseconds ? part / 1000 : part);
        packet(&c, bytes);
    }
    if (c.number == 0 && c.result == 0 && reload_reader_status(&r))
        cut_short(&c, 0);
    for (size_t i = 0; i < FRAGMENTS_MAX; i++)
        free(c.pending[i].bytes);
    return c.result;
}
