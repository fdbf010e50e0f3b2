#include "reload/store/certificates.h"

#include "reload/alloc.h"
#include "reload/security/bucket.h"

struct reload_held_certificate *reload_certificates_hold(struct reload_certificates *certificates,
                                                         struct reload_slice der,
                                                         struct reload_slice issuers)
{
    struct reload_tree_node *found = reload_tree_find(&certificates->tree, der);
    struct reload_held_certificate *c = (struct reload_held_certificate *)found;
    if (!c) {
        c = reload_alloc(sizeof *c + der.n + issuers.n);
        if (!c)
            return NULL;
        c->users = 0;
        c->len = der.n + issuers.n;
        if (der.n)
            memcpy(c->bytes, der.p, der.n);
        if (issuers.n)
            memcpy(c->bytes + der.n, issuers.p, issuers.n);
        c->node.key = reload_slice_of(c->bytes, der.n);
        c->issuers = reload_slice_of(c->bytes + der.n, issuers.n);
        reload_tree_insert(&certificates->tree, &c->node);
        certificates->bytes += sizeof *c + c->len;
    }
    c->users++;
    return c;
}

void reload_certificates_write(const struct reload_held_certificate *certificate,
                               struct reload_writer *bucket, size_t start)
{
    const struct reload_certificate own = { RELOAD_CERTIFICATE_X509, certificate->node.key };
    reload_bucket_add(bucket, start, &own);
    reload_bucket_add_all(bucket, start, certificate->issuers);
}

void reload_certificates_release(struct reload_certificates *certificates,
                                 struct reload_held_certificate *certificate)
{
    if (--certificate->users > 0)
        return;
    reload_tree_remove(&certificates->tree, &certificate->node);
    certificates->bytes -= sizeof *certificate + certificate->len;
    reload_free(certificate);
}
