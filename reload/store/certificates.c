#include "reload/store/certificates.h"

#include "reload/alloc.h"

struct reload_held_certificate *reload_certificates_hold(struct reload_certificates *certificates,
                                                         struct reload_slice der)
{
    struct reload_tree_node *found = reload_tree_find(&certificates->tree, der);
    struct reload_held_certificate *c = (struct reload_held_certificate *)found;
    if (!c) {
        c = reload_alloc(sizeof *c + der.n);
        if (!c)
            return NULL;
        c->users = 0;
        c->len = der.n;
        if (der.n)
            memcpy(c->der, der.p, der.n);
        c->node.key = reload_slice_of(c->der, der.n);
        reload_tree_insert(&certificates->tree, &c->node);
        certificates->bytes += sizeof *c + c->len;
    }
    c->users++;
    return c;
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
