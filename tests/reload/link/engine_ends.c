#include "engine_ends.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>
#include <openssl/err.h>

struct identity rsa_node;
struct end client, server;

struct reload_time ends_now(void)
{
    return (struct reload_time){ .monotonic_ms = 1, .unix_ms = (uint64_t)time(NULL) * 1000 };
}

int ends_set_up(void **state)
{
    people_set_up(state);
    identity_init(&rsa_node, &ca, &ca, 0xee, PKI_RSA);
    return 0;
}

int ends_tear_down(void **state)
{
    identity_fini(&rsa_node);
    return people_tear_down(state);
}

void ends_open_one(struct end *end, struct identity *identity, enum reload_link_role role,
                   const struct reload_node_id *expected)
{
    *end = (struct end){ .status = RELOAD_ENGINE_WANT };
    assert_int_equal(reload_engine_context_new(&pki_ops, identity, NULL, &end->context), 0);
    assert_int_equal(reload_engine_new(end->context, role, expected, &end->engine), 0);
}

void ends_close_one(struct end *end)
{
    reload_engine_free(end->engine);
    reload_engine_context_free(end->context);
    reload_buffer_free(&end->taken);
}

void ends_open(struct identity *c, struct identity *s)
{
    ends_open_one(&client, c, RELOAD_LINK_CLIENT, NULL);
    ends_open_one(&server, s, RELOAD_LINK_SERVER, NULL);
}

void ends_close(void)
{
    ends_close_one(&client);
    ends_close_one(&server);
}

bool ends_carry(struct end *from, struct end *to, size_t step)
{
    struct reload_buffer *output = reload_engine_output(from->engine);
    size_t n = reload_buffer_len(output);
    n = n < step ? n : step;
    if (n == 0)
        return false;
    reload_buffer_free(&to->taken);
    assert_int_equal(reload_buffer_append(&to->taken, output->p + output->start, n), 0);
    reload_buffer_consume(output, n);
    reload_engine_input(to->engine, reload_slice_of(to->taken.p, n));
    return true;
}

void ends_shake(struct end *end)
{
    if (end->status == RELOAD_ENGINE_WANT)
        end->status = reload_engine_handshake(end->engine, ends_now());
    assert_int_equal(ERR_peek_error(), 0);
}

void ends_handshake(size_t step)
{
    ends_shake(&client);
    bool moved = true;
    while (moved) {
        moved = false;
        while (server.status == RELOAD_ENGINE_WANT && ends_carry(&client, &server, step)) {
            ends_shake(&server);
            moved = true;
        }
        while (client.status == RELOAD_ENGINE_WANT && ends_carry(&server, &client, step)) {
            ends_shake(&client);
            moved = true;
        }
    }
}

int ends_read(struct end *end, uint8_t *out, size_t cap, size_t *len)
{
    size_t n;
    int status;
    *len = 0;
    while ((status = reload_engine_read(end->engine, out + *len, cap - *len, &n, ends_now())) == 0)
        *len += n;
    return status;
}

void assert_talks(struct end *from, struct end *to, size_t step)
{
    static uint8_t message[40000], got[40000 + 1];
    for (size_t i = 0; i < sizeof message; i++)
        message[i] = (uint8_t)(i * 7);
    assert_int_equal(reload_engine_write(from->engine, reload_slice_of(message, sizeof message)),
                     0);
    size_t len = 0;
    while (ends_carry(from, to, step)) {
        size_t n;
        assert_int_equal(ends_read(to, got + len, sizeof got - len, &n), RELOAD_ENGINE_WANT);
        len += n;
    }
    assert_int_equal(len, sizeof message);
    assert_memory_equal(got, message, len);
}

void assert_is(const struct end *end, uint8_t node)
{
    struct reload_node_id id = node_id_of(node);
    const struct reload_link_peer *peer = reload_engine_peer(end->engine);
    assert_int_equal(peer->node_id_count, 1);
    assert_true(reload_node_id_equal(&peer->node_ids[0], &id));
}
