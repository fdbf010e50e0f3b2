#include "fake_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void *fake_serve(void *closure)
{
    struct fake *k = closure;
    int fd;
    while ((fd = accept(k->fd, NULL, NULL)) >= 0) {
        SSL *ssl = SSL_new(k->context);
        SSL_set_fd(ssl, fd);
        if (!k->stop && SSL_accept(ssl) == 1) {
            int n = SSL_read(ssl, k->asked, sizeof k->asked - 1);
            k->asked[n > 0 ? n : 0] = '\0';
            k->requests += n > 0;
            if (k->answer)
                SSL_write(ssl, k->answer, (int)k->len);
            while (!k->answer && !k->stop)
                usleep(10000);
            SSL_shutdown(ssl);
            char rest[4096];
            shutdown(fd, SHUT_WR);
            while (recv(fd, rest, sizeof rest, 0) > 0)
                ;
        }
        SSL_free(ssl);
        close(fd);
        if (k->stop)
            break;
    }
    return NULL;
}

void fake_start(struct fixture *f, struct fake *k, const char *answer)
{
    char path[128];
    *k = (struct fake){ .fd = f->listen_fd, .answer = answer, .len = answer ? strlen(answer) : 0 };
    f->listen_fd = -1;
    k->context = SSL_CTX_new(TLS_server_method());
    assert_int_equal(
        SSL_CTX_use_certificate_chain_file(k->context, fixture_path(f, "https.pem", path)), 1);
    assert_int_equal(SSL_CTX_use_PrivateKey_file(k->context, fixture_path(f, "https.key", path),
                                                 SSL_FILETYPE_PEM),
                     1);
    assert_int_equal(pthread_create(&k->thread, NULL, fake_serve, k), 0);
}

void fake_stop(struct fixture *f, struct fake *k)
{
    k->stop = true;
    int fd = tcp_open(f->port, 1); /* wakes accept() */
    if (fd >= 0)
        close(fd);
    pthread_join(k->thread, NULL);
    close(k->fd);
    SSL_CTX_free(k->context);
}
