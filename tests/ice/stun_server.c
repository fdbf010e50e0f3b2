/* The STUN responder on a UDP socket, for tests: stun_server ADDR:PORT. Writes "ready" when it
 * answers and its counters when it is told to end. */
#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ice/stun.h"

static volatile sig_atomic_t ended;

static void end(int number)
{
    (void)number;
    ended = 1;
}

static int open_socket(const char *text)
{
    char literal[64];
    unsigned int port;
    struct reload_link_address address;
    struct sockaddr_storage socket_address;
    if (sscanf(text, "%63[^:]:%u", literal, &port) != 2 ||
        reload_link_address_parse(literal, (uint16_t)port, &address) != 0)
        return -1;
    socklen_t len = reload_ice_address_to_socket(&address, &socket_address);
    int fd = socket(socket_address.ss_family, SOCK_DGRAM, 0);
    return bind(fd, (const struct sockaddr *)&socket_address, len) == 0 ? fd : -1;
}

static void answer(int fd, struct reload_ice_stun_stats *stats)
{
    uint8_t in[2048], out[RELOAD_ICE_STUN_ANSWER_MAX];
    struct sockaddr_storage from = { 0 };
    socklen_t from_len = sizeof from;
    size_t len;
    ssize_t n = recvfrom(fd, in, sizeof in, 0, (struct sockaddr *)&from, &from_len);
    if (n < 0)
        return;
    struct reload_link_address address =
        reload_ice_address_from_socket((const struct sockaddr *)&from);
    if (reload_ice_stun_answer(stats, reload_slice_of(in, (size_t)n), &address, out, sizeof out,
                               &len) == 0)
        (void)!sendto(fd, out, len, 0, (const struct sockaddr *)&from, from_len);
}

int main(int argc, char **argv)
{
    struct reload_ice_stun_stats stats = { 0 };
    struct sigaction action = { .sa_handler = end };
    int fd = argc == 2 ? open_socket(argv[1]) : -1;
    if (fd < 0) {
        fprintf(stderr, "stun_server ADDR:PORT: %s\n", strerror(errno));
        return 2;
    }
    sigaction(SIGTERM, &action, NULL);
    printf("ready\n");
    fflush(stdout);
    while (!ended)
        answer(fd, &stats);
    printf("{\"answered\":%llu,\"refused\":%llu,\"malformed\":%llu,\"other\":%llu}\n",
           (unsigned long long)stats.answered, (unsigned long long)stats.refused,
           (unsigned long long)stats.malformed, (unsigned long long)stats.other);
    close(fd);
    return 0;
}
