#include <limits.h>
#include <openssl/bio.h>
#include <string.h>

#include "reload/link/engine_internal.h"

/* OpenSSL reads what was lent and writes into the output buffer: no descriptor anywhere. */

static int bio_read(BIO *bio, char *out, size_t cap, size_t *len)
{
    struct reload_engine *engine = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *len = cap < engine->input.n ? cap : engine->input.n;
    if (*len == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(out, engine->input.p, *len);
    engine->input.p += *len;
    engine->input.n -= *len;
    return 1;
}

static int bio_write(BIO *bio, const char *p, size_t n, size_t *written)
{
    struct reload_engine *engine = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    *written = 0;
    if (n > RELOAD_ENGINE_OUTPUT_MAX - reload_buffer_len(&engine->output)) {
        /* A far end that makes us answer and never reads must not fill memory. */
        (void)reload_engine_fail(engine, RELOAD_E_LIMIT, "the far end does not take our bytes");
        return 0;
    }
    if (reload_buffer_append(&engine->output, p, n)) {
        (void)reload_engine_fail(engine, RELOAD_E_NOMEM, "no memory");
        return 0;
    }
    *written = n;
    return 1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio, (void)number, (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static int bio_create(BIO *bio)
{
    BIO_set_init(bio, 1);
    return 1;
}

BIO_METHOD *reload_engine_bio_make(const char *name, int (*read)(BIO *, char *, size_t, size_t *),
                                   int (*write)(BIO *, const char *, size_t, size_t *),
                                   long (*ctrl)(BIO *, int, long, void *))
{
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, name);
    if (!method)
        return NULL;
    BIO_meth_set_create(method, bio_create);
    BIO_meth_set_read_ex(method, read);
    BIO_meth_set_write_ex(method, write);
    BIO_meth_set_ctrl(method, ctrl);
    return method;
}

BIO_METHOD *reload_engine_bio_method(void)
{
    return reload_engine_bio_make("reload engine", bio_read, bio_write, bio_ctrl);
}
