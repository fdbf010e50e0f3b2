#include "call_setup.h"

#include "bench.h"
#include "peer/phone_call.h"
#include "tests/peer/pair.h"

#define RUNS    7
#define WARM    5 /* calls of a run after the first */
#define WAIT_MS 20000

struct end {
    struct pair_node *node;
    struct reload_sip_node *sip;
    struct reload_phone *phone;
    bool registered, heard, ended;
    double setup_ms, signalling_ms;
};

static void registered(void *context, const struct reload_result *result)
{
    BENCH_CHECK(result->error == 0);
    ((struct end *)context)->registered = true;
}

static void happened(void *context, const struct reload_phone_call_event *event)
{
    struct end *end = context;
    struct reload_phone_call_info info;
    BENCH_CHECK(reload_phone_call_info(end->phone, event->call, &info) == 0);
    if (event->type == RELOAD_PHONE_CALL_AUDIO) {
        end->setup_ms = info.setup_ms;
        end->signalling_ms = info.signalling_ms;
        end->heard = true;
    }
    end->ended = end->ended || info.state == RELOAD_SIP_ENDED;
}

static void open_end(struct end *end, struct pair *pair, struct pair_node *node)
{
    static const struct reload_phone_events events = { .call = happened };
    *end = (struct end){ .node = node };
    end->sip = reload_sip_node_new(node->overlay, node->context, NULL);
    BENCH_CHECK(reload_phone_new(node->overlay, end->sip, node->context, NULL, &end->phone) == 0);
    reload_phone_set_events(end->phone, &events, end);
    BENCH_CHECK(reload_sip_node_register(end->sip, (struct reload_slice){ 0 },
                                         RELOAD_SIP_SCHEME_ANY, 3600, registered, end) == 0);
    BENCH_CHECK(pair_until(pair, &end->registered, WAIT_MS));
}

static void call(struct pair *pair, struct end *alice, struct end *bob)
{
    const struct reload_phone_audio audio = { .device = "tone" };
    const char *to = reload_sip_node_registrar(bob->sip)->aor.text;
    uint32_t number;
    alice->heard = alice->ended = bob->ended = false;
    BENCH_CHECK(reload_phone_call(alice->phone, to, &audio, &number) == 0);
    BENCH_CHECK(pair_until(pair, &alice->heard, WAIT_MS));
    pair_for_ms(pair, 100);
    BENCH_CHECK(reload_phone_hangup(alice->phone, number) == 0);
    BENCH_CHECK(pair_until(pair, &alice->ended, WAIT_MS) && pair_until(pair, &bob->ended, WAIT_MS));
}

static void close_end(struct end *end)
{
    reload_phone_free(end->phone);
    reload_sip_node_free(end->sip);
}

struct call_setup call_setup(bool ice)
{
    double cold[RUNS], warm[RUNS * WARM], signalling[RUNS * WARM];
    for (size_t run = 0; run < RUNS; run++) {
        struct pair pair;
        struct end alice, bob;
        pair_open(&pair, &(struct pair_options){ .ice = ice, .sip = true });
        open_end(&bob, &pair, &pair.a);
        open_end(&alice, &pair, &pair.b);
        BENCH_CHECK(reload_phone_answer_all(bob.phone, "tone") == 0);
        call(&pair, &alice, &bob);
        cold[run] = alice.setup_ms;
        for (size_t i = 0; i < WARM; i++) {
            pair_for_ms(&pair, 20 + 7 * (unsigned)i); /* begins anywhere in a block */
            call(&pair, &alice, &bob);
            warm[run * WARM + i] = alice.setup_ms;
            signalling[run * WARM + i] = alice.signalling_ms;
        }
        close_end(&alice);
        close_end(&bob);
        pair_close(&pair);
    }
    return (struct call_setup){
        .cold = bench_median(cold, RUNS),
        .warm = bench_median(warm, RUNS * WARM),
        .signalling = bench_median(signalling, RUNS * WARM),
    };
}
