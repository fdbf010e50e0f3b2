/* What the server bears: guessers, and many nodes at once. */
#include "fixture.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static struct reply reply;

static void try(struct fixture *f, const char *user, const char *password, uint8_t from)
{
    post(f,
         &(struct post){ .user = user,
                         .password = password,
                         .csr = (const uint8_t *)"x",
                         .csr_len = 1,
                         .from = from },
         &reply);
}

static void guessing_is_stopped_but_not_the_owner(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    enroll(f, "alice@example.org", "correct horse", NULL, &reply); /* from 127.0.0.1 */
    assert_int_equal(reply.status, 200);
    for (int i = 0; i < 5; i++) {
        try(f, "alice@example.org", "guess", 2);
        assert_true(reply_is(&reply, 403, "failed_authentication"));
    }
    for (int i = 0; i < 20; i++) {
        try(f, "alice@example.org", i ? "guess" : "correct horse", 3);
        assert_true(reply_is(&reply, 429, "too_many_attempts"));
        assert_true(reply_has(&reply, "Retry-After: "));
    }
    enroll(f, "alice@example.org", "correct horse", NULL, &reply);
    assert_int_equal(reply.status, 200);
    fixture_stop(f); /* the address is known for good */
    fixture_start(f);
    for (int i = 0; i < 6; i++)
        try(f, "alice@example.org", "guess", 2);
    assert_int_equal(reply.status, 429);
    enroll(f, "alice@example.org", "correct horse", NULL, &reply);
    assert_int_equal(reply.status, 200);
    enroll(f, "bob@example.org", "battery staple", NULL, &reply);
    assert_int_equal(reply.status, 200);
}

static void one_prefix_guesses_no_more_than_twenty_names(void **state)
{
    struct fixture *f = *state;
    fixture_start(f);
    unsigned answered = 0;
    for (unsigned i = 0; i < 60; i++) {
        char name[40];
        snprintf(name, sizeof name, "user%u@example.org", i);
        try(f, name, "guess", (uint8_t)(1 + i));
        answered += reply.status == 403;
    }
    assert_int_equal(answered, 20);
    assert_int_equal(fixture_count(f, RELOAD_ENROLL_TOO_MANY_ATTEMPTS), 40);
}

static uint64_t fastest_us(struct fixture *f, const char *user, unsigned tries)
{
    uint64_t best = UINT64_MAX;
    for (unsigned i = 0; i < tries; i++) {
        struct timespec a, b;
        clock_gettime(CLOCK_MONOTONIC, &a);
        try(f, user, "guess", 1);
        clock_gettime(CLOCK_MONOTONIC, &b);
        assert_true(reply_is(&reply, 403, "failed_authentication"));
        uint64_t us = (uint64_t)((b.tv_sec - a.tv_sec) * 1000000 + (b.tv_nsec - a.tv_nsec) / 1000);
        if (us < best)
            best = us;
    }
    return best;
}

static void an_unknown_name_takes_the_time_of_a_known_one(void **state)
{
    struct fixture *f = *state;
    f->options.guesses.user_failures = f->options.guesses.prefix_failures = 1000;
    f->options.password_cost = 5;
    fixture_account(f, "carol@example.org", "secret", 2);
    fixture_start(f);
    fastest_us(f, "carol@example.org", 2); /* warm */
    uint64_t known = fastest_us(f, "carol@example.org", 12);
    uint64_t unknown = fastest_us(f, "dave@example.org", 12);
    uint64_t impossible = fastest_us(f, "Not A Name", 12);
    assert_in_range(unknown, known * 3 / 4, known * 4 / 3);
    assert_in_range(impossible, known * 3 / 4, known * 4 / 3);
}

/* Nodes that enroll at once, each in a thread of its own. */
enum { CROWD_MAX = 16 };
struct crowd {
    size_t count;
    char names[CROWD_MAX][40];
    void *arguments[CROWD_MAX][2];
    pthread_t threads[CROWD_MAX];
};

static void *enroll_one(void *closure)
{
    struct fixture *f = ((void **)closure)[0];
    struct reply *mine = calloc(1, sizeof *mine);
    enroll(f, ((void **)closure)[1], "right", "2", mine);
    intptr_t status = mine->status;
    free(mine);
    return (void *)status;
}

static void crowd_make(struct crowd *crowd, struct fixture *f, size_t count)
{
    crowd->count = count;
    for (size_t i = 0; i < count; i++) {
        snprintf(crowd->names[i], sizeof crowd->names[i], "node%zu@example.org", i);
        fixture_account(f, crowd->names[i], "right", 2);
        crowd->arguments[i][0] = f;
        crowd->arguments[i][1] = crowd->names[i];
    }
}

static void crowd_begin(struct crowd *crowd)
{
    for (size_t i = 0; i < crowd->count; i++)
        assert_int_equal(pthread_create(&crowd->threads[i], NULL, enroll_one, crowd->arguments[i]),
                         0);
}

/* Waits for that one's answer. */
static intptr_t crowd_status(struct crowd *crowd, size_t i)
{
    void *status;
    pthread_join(crowd->threads[i], &status);
    return (intptr_t)status;
}

static void many_nodes_with_right_passwords_enroll_at_once(void **state)
{
    struct fixture *f = *state;
    struct crowd crowd;
    crowd_make(&crowd, f, CROWD_MAX);
    fixture_start(f);
    for (int round = 0; round < 3; round++) {
        crowd_begin(&crowd);
        for (size_t i = 0; i < crowd.count; i++)
            assert_int_equal(crowd_status(&crowd, i), 200);
    }
    assert_int_equal(fixture_count(f, RELOAD_ENROLL_ISSUED), 3 * CROWD_MAX);
}

/* A request in the middle of a decision gets its answer; one that only waits gets 503 or the end.
 */
static void stopping_finishes_what_was_begun(void **state)
{
    struct fixture *f = *state;
    struct crowd crowd;
    f->options.password_cost = 5;
    f->options.workers = 1;
    crowd_make(&crowd, f, 8);
    fixture_start(f);
    crowd_begin(&crowd);
    while (fixture_count(f, RELOAD_ENROLL_ISSUED) == 0)
        pause_ms(1);
    uint64_t start_ms = reload_enroll_monotonic_ms();
    fixture_stop(f);
    assert_true(reload_enroll_monotonic_ms() - start_ms < 2000);
    unsigned served = 0;
    for (size_t i = 0; i < crowd.count; i++) {
        intptr_t status = crowd_status(&crowd, i);
        assert_true(status == 200 || status == 503 || status == 0);
        served += status == 200;
    }
    assert_true(served >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PREPARED(guessing_is_stopped_but_not_the_owner),
        PREPARED(one_prefix_guesses_no_more_than_twenty_names),
        PREPARED(an_unknown_name_takes_the_time_of_a_known_one),
        PREPARED(many_nodes_with_right_passwords_enroll_at_once),
        PREPARED(stopping_finishes_what_was_begun),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
