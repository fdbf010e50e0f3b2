#include "certs/pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include "certs/builder.h"
#include "certs/ca.h"
#include "certs/file.h"

static int read_list(BIO *bio, struct reload_cert_bytes *out, size_t max, size_t *count)
{
    X509 *x509;
    ERR_clear_error();
    while ((x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL))) {
        int error = *count < max ? reload_cert_to_der(x509, &out[*count]) : RELOAD_E_LIMIT;
        X509_free(x509);
        if (error)
            return error;
        ++*count;
    }
    /* Nothing more to come is the good end; anything else is a broken certificate. */
    bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
    return end ? 0 : RELOAD_E_DECODE;
}

static int read_der(struct reload_slice text, struct reload_cert_bytes *out, size_t *count)
{
    X509 *x509 = reload_cert_x509(text);
    if (!x509)
        return RELOAD_E_DECODE;
    X509_free(x509);
    out->p = reload_memdup(text.p, text.n);
    out->n = text.n;
    *count = out->p ? 1 : 0;
    return out->p ? 0 : RELOAD_E_NOMEM;
}

int reload_cert_read_pem(struct reload_slice text, struct reload_cert_bytes *out, size_t max,
                         size_t *count)
{
    *count = 0;
    if (text.n == 0 || text.n > RELOAD_CERT_FILE_MAX)
        return RELOAD_E_DECODE;
    BIO *bio = BIO_new_mem_buf(text.p, (int)text.n);
    int error = bio ? read_list(bio, out, max, count) : RELOAD_E_NOMEM;
    BIO_free(bio);
    ERR_clear_error();
    if (!error && *count == 0)
        error = read_der(text, out, count);
    if (!error)
        return 0;
    for (size_t i = 0; i < *count; i++)
        reload_cert_bytes_fini(&out[i]);
    *count = 0;
    return error;
}

int reload_cert_from_pem(struct reload_slice pem, struct reload_cert_bytes *der)
{
    struct reload_cert_bytes list[16];
    size_t count;
    *der = (struct reload_cert_bytes){ 0 };
    int error = reload_cert_read_pem(pem, list, sizeof list / sizeof *list, &count);
    if (error)
        return error;
    *der = list[0];
    for (size_t i = 1; i < count; i++)
        reload_cert_bytes_fini(&list[i]);
    return 0;
}

int reload_cert_pem(const struct reload_slice *ders, size_t count, struct reload_cert_bytes *out)
{
    *out = (struct reload_cert_bytes){ 0 };
    BIO *bio = BIO_new(BIO_s_mem());
    int error = bio ? 0 : RELOAD_E_NOMEM;
    for (size_t i = 0; i < count && !error; i++) {
        X509 *x509 = reload_cert_x509(ders[i]);
        error = !x509 ? RELOAD_E_DECODE : PEM_write_bio_X509(bio, x509) ? 0 : RELOAD_E_NOMEM;
        X509_free(x509);
    }
    char *text = NULL;
    long len = error ? 0 : BIO_get_mem_data(bio, &text);
    if (!error) {
        out->p = reload_memdup(text, (size_t)len);
        out->n = out->p ? (size_t)len : 0;
        error = out->p ? 0 : RELOAD_E_NOMEM;
    }
    BIO_free(bio);
    ERR_clear_error();
    return error;
}
