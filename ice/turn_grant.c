#include "ice/turn_grant.h"

#include <string.h>

#define VERSION 1

static void put_text(struct reload_writer *w, const char *text)
{
    reload_wr_opaque8(w, reload_slice_of(text, strlen(text)));
}

int reload_ice_turn_grant_encode(struct reload_writer *w, const struct reload_ice_turn_grant *grant)
{
    reload_wr_u8(w, VERSION);
    put_text(w, grant->user_name);
    put_text(w, grant->password);
    reload_wr_u32(w, grant->lifetime_s);
    return reload_writer_status(w);
}

/* The ICE library takes strings: what they could not hold would be something else there. */
static bool take_text(struct reload_reader *r, char out[256])
{
    struct reload_slice s = reload_rd_opaque8(r);
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] > '~')
            return false;
    memcpy(out, s.p ? s.p : (const uint8_t *)"", s.n);
    out[s.n] = '\0';
    return s.n > 0;
}

int reload_ice_turn_grant_decode(struct reload_slice bytes, struct reload_ice_turn_grant *out)
{
    struct reload_reader r = reload_reader_over(bytes);
    uint8_t version = reload_rd_u8(&r);
    bool good = take_text(&r, out->user_name) && take_text(&r, out->password);
    out->lifetime_s = reload_rd_u32(&r);
    bool whole = reload_rd_rest(&r).n == 0 && !r.failed;
    return good && whole && version == VERSION && out->lifetime_s > 0 ? 0 : RELOAD_E_DECODE;
}
