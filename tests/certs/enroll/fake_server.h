#ifndef TESTS_CERTS_ENROLL_FAKE_SERVER_H
#define TESTS_CERTS_ENROLL_FAKE_SERVER_H

#include "fixture.h"

#include <pthread.h>
#include <stdatomic.h>

/* An HTTPS server in place of the overlay's, with its certificate and on its port, that says the
 * same to whatever it is asked. */

struct fake {
    pthread_t thread;
    int fd;
    SSL_CTX *context;
    const char *answer; /* what it says to whatever it is asked; NULL: nothing, for ever */
    size_t len;
    atomic_bool stop;
    atomic_int requests;
    char asked[4096];
};

#define FAKE_SAYS(status, type, body) "HTTP/1.1 " status "\r\nContent-Type: " type "\r\n\r\n" body

/* Takes over the fixture's listening socket; the answer must live until it stops or has another. */
void fake_start(struct fixture *f, struct fake *k, const char *answer);
void fake_stop(struct fixture *f, struct fake *k);

#endif
