#include "reload/link/pcap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reload/alloc.h"

#define RELOAD_PORT  6084
#define LINKTYPE_RAW 101 /* packets begin with their IP header, version 4 or 6 */
#define RECORD_LEN   16
#define IPV4_LEN     20
#define IPV6_LEN     40
#define UDP_LEN      8
#define PACKET_MAX   65535
#define PROTOCOL_UDP 17

struct reload_pcap {
    FILE *file;
    int error;
    uint64_t left_out;
    uint16_t next_ip_id;
    uint8_t packet[RECORD_LEN + PACKET_MAX];
};

static void put32_host(uint8_t *p, uint32_t v)
{
    memcpy(p, &v, 4); /* capture files are in the writer's byte order */
}

static int write_file_header(FILE *file)
{
    uint8_t header[24] = { 0 };
    uint16_t version[2] = { 2, 4 };
    put32_host(header, 0xa1b2c3d4);
    memcpy(header + 4, version, sizeof version);
    put32_host(header + 16, PACKET_MAX);
    put32_host(header + 20, LINKTYPE_RAW);
    return fwrite(header, sizeof header, 1, file) == 1 && fflush(file) == 0 ? 0 : -1;
}

static FILE *open_private(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return NULL;
    FILE *file = NULL;
    if (fchmod(fd, 0600) == 0) /* it may have been there, open to others */
        file = fdopen(fd, "w");
    if (!file)
        close(fd);
    return file;
}

int reload_pcap_open(const char *path, struct reload_pcap **out)
{
    struct reload_pcap *pcap = reload_calloc(1, sizeof *pcap);
    if (!pcap)
        return RELOAD_E_NOMEM;
    pcap->file = open_private(path);
    if (!pcap->file || write_file_header(pcap->file)) {
        int error = errno;
        reload_pcap_close(pcap);
        errno = error;
        return RELOAD_E_IO;
    }
    *out = pcap;
    return 0;
}

void reload_pcap_close(struct reload_pcap *pcap)
{
    if (!pcap)
        return;
    if (pcap->file)
        (void)fclose(pcap->file);
    reload_free(pcap);
}

/* RFC 1071, over an even or odd number of bytes. */
static uint32_t sum_of(const uint8_t *p, size_t n, uint32_t sum)
{
    for (; n > 1; p += 2, n -= 2)
        sum += (uint32_t)(p[0] << 8 | p[1]);
    if (n)
        sum += (uint32_t)p[0] << 8;
    return sum;
}

static uint16_t checksum_of(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void ipv4_header(struct reload_pcap *pcap, struct reload_writer *w,
                        const struct reload_link_address *from,
                        const struct reload_link_address *to, size_t udp_len)
{
    uint8_t *start = w->buf + w->len;
    reload_wr_u8(w, 0x45); /* version 4, 5 words */
    reload_wr_u8(w, 0);
    reload_wr_u16(w, (uint16_t)(IPV4_LEN + udp_len));
    reload_wr_u16(w, pcap->next_ip_id++);
    reload_wr_u16(w, 0x4000); /* not fragmented */
    reload_wr_u8(w, 64);
    reload_wr_u8(w, PROTOCOL_UDP);
    reload_wr_u16(w, 0);
    reload_wr_bytes(w, reload_slice_of(from->bytes, 4));
    reload_wr_bytes(w, reload_slice_of(to->bytes, 4));
    uint16_t checksum = checksum_of(sum_of(start, IPV4_LEN, 0));
    start[10] = (uint8_t)(checksum >> 8);
    start[11] = (uint8_t)checksum;
}

static void ipv6_header(struct reload_writer *w, const struct reload_link_address *from,
                        const struct reload_link_address *to, size_t udp_len)
{
    reload_wr_u32(w, UINT32_C(6) << 28);
    reload_wr_u16(w, (uint16_t)udp_len);
    reload_wr_u8(w, PROTOCOL_UDP);
    reload_wr_u8(w, 64);
    reload_wr_bytes(w, reload_slice_of(from->bytes, 16));
    reload_wr_bytes(w, reload_slice_of(to->bytes, 16));
}

static void udp_checksum(uint8_t *udp, size_t udp_len, const struct reload_link_address *from,
                         const struct reload_link_address *to)
{
    uint32_t sum = sum_of(from->bytes, from->len, 0);
    sum = sum_of(to->bytes, to->len, sum);
    sum = sum_of(udp, udp_len, sum + PROTOCOL_UDP + (uint32_t)udp_len);
    uint16_t checksum = checksum_of(sum);
    if (checksum == 0) /* RFC 768: zero would mean none */
        checksum = 0xffff;
    udp[6] = (uint8_t)(checksum >> 8);
    udp[7] = (uint8_t)checksum;
}

static void udp_packet(struct reload_writer *w, const struct reload_link_address *from,
                       const struct reload_link_address *to, bool from_listener,
                       const struct reload_slice *parts, size_t count, size_t udp_len)
{
    uint8_t *udp = w->buf + w->len;
    reload_wr_u16(w, from_listener ? RELOAD_PORT : from->port);
    reload_wr_u16(w, from_listener ? to->port : RELOAD_PORT);
    reload_wr_u16(w, (uint16_t)udp_len);
    reload_wr_u16(w, 0);
    for (size_t i = 0; i < count; i++)
        reload_wr_bytes(w, parts[i]);
    udp_checksum(udp, udp_len, from, to);
}

static void write_record(struct reload_pcap *pcap, struct reload_time now, size_t len)
{
    put32_host(pcap->packet, (uint32_t)(now.unix_ms / 1000));
    put32_host(pcap->packet + 4, (uint32_t)(now.unix_ms % 1000 * 1000));
    put32_host(pcap->packet + 8, (uint32_t)len);
    put32_host(pcap->packet + 12, (uint32_t)len);
    if (fwrite(pcap->packet, RECORD_LEN + len, 1, pcap->file) != 1)
        pcap->error = errno;
}

void reload_pcap_write(struct reload_pcap *pcap, struct reload_time now,
                       const struct reload_link_address *from, const struct reload_link_address *to,
                       bool from_listener, const struct reload_slice *parts, size_t count)
{
    if (pcap->error || from->len != to->len || from->len == 0)
        return;
    size_t ip_len = from->len == 4 ? IPV4_LEN : IPV6_LEN;
    size_t udp_len = UDP_LEN, room = PACKET_MAX - ip_len;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].n > room - udp_len) {
            pcap->left_out++;
            return;
        }
        udp_len += parts[i].n;
    }
    struct reload_writer w = reload_writer_of(pcap->packet + RECORD_LEN, PACKET_MAX);
    if (from->len == 4)
        ipv4_header(pcap, &w, from, to, udp_len);
    else
        ipv6_header(&w, from, to, udp_len);
    udp_packet(&w, from, to, from_listener, parts, count, udp_len);
    write_record(pcap, now, w.len);
}

void reload_pcap_flush(struct reload_pcap *pcap)
{
    if (!pcap->error && fflush(pcap->file) != 0)
        pcap->error = errno;
}

int reload_pcap_error(const struct reload_pcap *pcap)
{
    return pcap->error;
}

uint64_t reload_pcap_left_out(const struct reload_pcap *pcap)
{
    return pcap->left_out;
}
