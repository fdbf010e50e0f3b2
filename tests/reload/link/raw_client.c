#include "raw_client.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "reload/link/engine_datagram.h"

#define DATAGRAM_LEN 1200

int raw_client_socket(const struct reload_link_address *to)
{
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(to->port) };
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    must(fd >= 0 && connect(fd, (struct sockaddr *)&in, sizeof in) == 0);
    return fd;
}

void raw_client_engine(struct raw_client *client)
{
    int status = reload_engine_new_datagram(client->context, RELOAD_LINK_CLIENT, NULL, DATAGRAM_LEN,
                                            false, &client->engine);
    must(status == 0);
    client->status = RELOAD_ENGINE_WANT;
    client->got_len = 0;
}

void raw_client_open(struct raw_client *client, struct identity *identity,
                     const struct reload_link_address *to)
{
    memset(client, 0, sizeof *client);
    client->fd = raw_client_socket(to);
    int status = reload_engine_context_new(&pki_ops, identity, NULL, &client->context);
    must(status == 0);
    raw_client_engine(client);
}

void raw_client_close(struct raw_client *client)
{
    close(client->fd);
    reload_engine_free(client->engine);
    reload_engine_context_free(client->context);
}

static void advance(struct raw_client *client)
{
    if (client->status != 0)
        client->status = reload_engine_handshake(client->engine, net_now());
    size_t n;
    while (client->status == 0 &&
           reload_engine_read(client->engine, client->got + client->got_len,
                              sizeof client->got - client->got_len, &n, net_now()) == 0)
        client->got_len += n;
}

void raw_client_turn(struct raw_client *client)
{
    uint8_t bytes[2000];
    ssize_t n;
    while ((n = recv(client->fd, bytes, sizeof bytes, 0)) > 0) {
        client->bytes_in += (size_t)n;
        reload_engine_input(client->engine, reload_slice_of(bytes, (size_t)n));
        advance(client);
    }
    advance(client);
    struct reload_slice datagram;
    while (reload_engine_datagram_next(client->engine, &datagram, 1)) {
        memcpy(client->last, datagram.p, datagram.n);
        client->last_len = datagram.n;
        client->bytes_out += datagram.n;
        (void)!send(client->fd, datagram.p, datagram.n, 0);
        reload_engine_datagram_sent(client->engine, 1);
    }
    net_turn();
}

bool raw_client_until_up(struct raw_client *client)
{
    for (int i = 0; i < 2000 && client->status != 0; i++)
        raw_client_turn(client);
    return client->status == 0;
}

void raw_client_write(struct raw_client *client, const void *p, size_t n)
{
    int status = reload_engine_write(client->engine, reload_slice_of(p, n));
    must(status == 0);
    raw_client_turn(client);
}
