#include "reload/security/bucket.h"

static bool holds(struct reload_slice list, const struct reload_certificate *wanted)
{
    struct reload_reader r = reload_reader_over(list);
    struct reload_certificate c;
    while (reload_certificate_next(&r, &c))
        if (c.type == wanted->type && reload_slice_equal(c.certificate, wanted->certificate))
            return true;
    return false;
}

void reload_bucket_add(struct reload_writer *w, size_t start,
                       const struct reload_certificate *certificate)
{
    if (reload_writer_status(w) ||
        holds(reload_slice_of(w->buf + start, w->len - start), certificate))
        return;
    if (reload_certificate_encode(w, certificate))
        reload_wr_fail(w);
}

void reload_bucket_add_all(struct reload_writer *w, size_t start, struct reload_slice certificates)
{
    struct reload_reader r = reload_reader_over(certificates);
    struct reload_certificate c;
    while (reload_certificate_next(&r, &c))
        reload_bucket_add(w, start, &c);
}

int reload_bucket_check(struct reload_slice certificates)
{
    struct reload_reader r = reload_reader_over(certificates);
    struct reload_certificate c;
    size_t count = 0;
    while (reload_certificate_next(&r, &c))
        if (++count > RELOAD_BUCKET_MAX)
            return RELOAD_E_LIMIT;
    return reload_reader_finish(&r);
}
