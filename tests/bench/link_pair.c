#include "link_pair.h"

#include <poll.h>

#include "bench.h"
#include "peer/identity_files.h"

#define WAIT_NS UINT64_C(20000000000)

const char *const bench_link_kinds[BENCH_LINK_KINDS] = { "TLS", "DTLS stop-and-wait",
                                                         "DTLS window" };

static struct reload_time now(void)
{
    return (struct reload_time){ bench_wall_ns() / 1000000,
                                 bench_clock_ns(CLOCK_REALTIME) / 1000000 };
}

void bench_party_open(struct bench_party *party, const struct bench_files *files,
                      const struct bench_identity_files *own)
{
    const struct reload_overlay_options options = { .config = files->document,
                                                    .certificate = own->certificate,
                                                    .key = own->key };
    struct reload_identity_files read;
    struct reload_cert_reason reason = { 0 };
    BENCH_CHECK(reload_identity_files_read(&options, now().unix_ms, &read, &reason) == 0);
    *party = (struct bench_party){ .config = read.config, .identity = read.identity };
    const struct reload_cert_context_options certs = { .identity = party->identity,
                                                       .config = party->config };
    BENCH_CHECK(reload_cert_context_new(&certs, &party->certs, &reason) == 0);
}

void bench_party_close(struct bench_party *party)
{
    reload_cert_context_free(party->certs);
    reload_cert_identity_free(party->identity);
    reload_cert_document_free(party->config);
}

static struct reload_links *links_of(const struct bench_party *party, enum bench_link_kind kind)
{
    struct reload_links *links;
    struct reload_links_config config = { .identity = &reload_cert_link_identity_ops,
                                          .identity_context = party->certs,
                                          .max_message_size = 5000,
                                          .stop_and_wait = kind == BENCH_LINK_STOP_AND_WAIT };
    if (kind == BENCH_LINK_STOP_AND_WAIT)
        config.limits.queue_messages = 4; /* what waits behind them would only delay the end */
    BENCH_CHECK(reload_links_new(&config, &links) == 0);
    return links;
}

void bench_link_pair_open(struct bench_link_pair *pair, enum bench_link_kind kind,
                          struct bench_party parties[2], const char *listen)
{
    *pair = (struct bench_link_pair){ .kind = kind };
    pair->near = links_of(&parties[0], kind);
    pair->far = links_of(&parties[1], kind);
    struct reload_link_address any;
    BENCH_CHECK(reload_link_address_parse(listen, 0, &any) == 0);
    if (kind == BENCH_LINK_TLS)
        BENCH_CHECK(reload_links_listen(pair->far, &any, RELOAD_LINK_SERVER, &pair->at) == 0);
    else
        BENCH_CHECK(reload_links_listen_datagrams(pair->far, &any, &pair->at) == 0);
}

void bench_link_pair_connect(struct bench_link_pair *pair, const char *dial)
{
    struct reload_link_address to;
    BENCH_CHECK(reload_link_address_parse(dial, pair->at.port, &to) == 0);
    pair->up = 0;
    int error =
        pair->kind == BENCH_LINK_TLS
            ? reload_links_dial(pair->near, &to, 1, NULL, RELOAD_LINK_CLIENT, now(), &pair->link)
            : reload_links_dial_datagrams(pair->near, &to, 1, NULL, now(), &pair->link);
    BENCH_CHECK(error == 0);
    uint64_t end_ns = bench_wall_ns() + WAIT_NS;
    while (pair->up < 2) {
        bench_link_pair_turn(pair, end_ns);
        BENCH_CHECK(bench_wall_ns() < end_ns);
    }
}

bool bench_link_pair_send(struct bench_link_pair *pair, struct reload_slice message)
{
    int error = reload_links_send(pair->near, pair->link, &message, 1, now());
    BENCH_CHECK(error == 0 || error == RELOAD_E_LIMIT);
    return error == 0;
}

static void run(struct bench_link_pair *pair, struct reload_links *links)
{
    struct reload_link_event event;
    reload_links_process(links, now());
    while (reload_links_next(links, &event)) {
        pair->up += event.type == RELOAD_LINK_UP;
        if (event.type == RELOAD_LINK_MESSAGE && links == pair->far && pair->received)
            pair->received(pair->context, event.message);
    }
}

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

void bench_link_pair_turn(struct bench_link_pair *pair, uint64_t until_ns)
{
    uint64_t due_ms = smaller(reload_links_deadline(pair->near), reload_links_deadline(pair->far));
    due_ms = smaller(due_ms, until_ns / 1000000);
    uint64_t now_ms = now().monotonic_ms;
    struct pollfd fds[] = { { .fd = reload_links_fd(pair->near), .events = POLLIN },
                            { .fd = reload_links_fd(pair->far), .events = POLLIN } };
    poll(fds, 2, due_ms > now_ms ? (int)(due_ms - now_ms) : 0);
    run(pair, pair->near);
    run(pair, pair->far);
}

void bench_link_pair_close(struct bench_link_pair *pair)
{
    reload_links_free(pair->near);
    reload_links_free(pair->far);
}
