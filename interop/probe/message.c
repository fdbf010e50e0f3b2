#include "interop/probe/message.h"

#include <string.h>

#include "reload/wire/cursor.h"

uint64_t probe_number(struct reload_slice bytes)
{
    uint64_t n = 0;
    for (size_t i = 0; i < bytes.n; i++)
        n = n << 8 | bytes.p[i];
    return n;
}

int probe_message_header(struct probe_message *m, struct probe_fault *fault)
{
    static const uint8_t widths[] = { 4, 4, 2, 1, 1, 4, 4, 8, 4 };
    struct reload_slice *const fields[] = { &m->token,   &m->overlay,     &m->sequence,
                                            &m->version, &m->ttl,         &m->fragment,
                                            &m->length,  &m->transaction, &m->max_response };
    const uint8_t *p = m->raw.p;
    if (m->raw.n < PROBE_HEADER_LEN)
        return probe_fault_set(fault, "a message of %zu bytes came", m->raw.n);
    for (size_t i = 0; i < sizeof widths; p += widths[i++])
        *fields[i] = reload_slice_of(p, widths[i]);
    size_t via = probe_number(reload_slice_of(p, 2)),
           dest = probe_number(reload_slice_of(p + 2, 2)),
           options = probe_number(reload_slice_of(p + 4, 2));
    if (probe_number(m->length) != m->raw.n || PROBE_HEADER_LEN + via + dest + options > m->raw.n)
        return probe_fault_set(fault,
                               "a message came whose lengths do not fit: %zu bytes, length "
                               "%llu, lists %zu + %zu + %zu",
                               m->raw.n, (unsigned long long)probe_number(m->length), via, dest,
                               options);
    p += 6;
    m->via = reload_slice_of(p, via);
    m->dest = reload_slice_of(p + via, dest);
    m->options = reload_slice_of(p + via + dest, options);
    p += via + dest + options;
    m->payload = reload_slice_of(p, m->raw.n - (size_t)(p - m->raw.p));
    return 0;
}

int probe_message_payload(struct probe_message *m, struct probe_fault *fault)
{
    struct reload_reader r = reload_reader_over(m->payload);
    m->code = reload_rd_bytes(&r, 2);
    m->body = reload_rd_opaque32(&r);
    m->extensions = reload_rd_opaque32(&r);
    m->contents = reload_rd_since(&r, m->payload.p);
    m->certificates = reload_rd_opaque16(&r);
    m->algorithms = reload_rd_bytes(&r, 2);
    const uint8_t *identity = r.p;
    reload_rd_bytes(&r, 1);
    reload_rd_opaque16(&r);
    m->identity = reload_rd_since(&r, identity);
    m->signature = reload_rd_opaque16(&r);
    if (reload_reader_status(&r) || reload_reader_more(&r))
        return probe_fault_set(fault,
                               "a message came whose contents or SecurityBlock are not whole");
    return 0;
}

const struct reload_slice *probe_message_field(const struct probe_message *m, const char *name)
{
    const struct {
        const char *name;
        const struct reload_slice *slice;
    } fields[] = {
        { "raw", &m->raw },
        { "token", &m->token },
        { "overlay", &m->overlay },
        { "sequence", &m->sequence },
        { "version", &m->version },
        { "ttl", &m->ttl },
        { "fragment", &m->fragment },
        { "transaction", &m->transaction },
        { "max_response", &m->max_response },
        { "via", &m->via },
        { "dest", &m->dest },
        { "options", &m->options },
        { "code", &m->code },
        { "body", &m->body },
        { "extensions", &m->extensions },
        { "contents", &m->contents },
        { "certificates", &m->certificates },
        { "algorithms", &m->algorithms },
        { "identity", &m->identity },
        { "signature", &m->signature },
    };
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (strcmp(fields[i].name, name) == 0)
            return fields[i].slice;
    return NULL;
}
