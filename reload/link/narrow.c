#include "reload/link/datagram_internal.h"

/* DTLS links whose path drops long datagrams and says nothing. The sender finds out
 * (reload/frame/reliable.h); the owner is told the new MTU, and gets back what is too long for it.
 */

uint32_t reload_narrow_len(const struct reload_link *link, uint16_t datagram_len)
{
    if (link->far.len != 4 || datagram_len <= RELOAD_ENGINE_NARROW_LEN) /* IPv6 has 1280 */
        return 0;
    return RELOAD_ENGINE_NARROW_LEN - RELOAD_ENGINE_RECORD_MIN - RELOAD_FRAME_DATA_HEADER_LEN;
}

void reload_narrow_notice(struct reload_link *link)
{
    if (link->over || link->dtls->is_narrow || !reload_reliable_is_narrow(link->dtls->reliable))
        return;
    link->dtls->is_narrow = link->dtls->tell_mtu = true;
    link->set->stats.narrowed++;
    reload_engine_datagram_narrow(link->engine);
    reload_link_note(link);
}

bool reload_narrow_tell(struct reload_link *link, struct reload_link_event *event)
{
    struct reload_datagram_link *dtls = link->dtls;
    if (!dtls || !dtls->is_narrow)
        return false;
    if (dtls->tell_mtu) {
        dtls->tell_mtu = false;
        dtls->returns = true;
        event->type = RELOAD_LINK_MTU;
        event->mtu = reload_datagram_mtu(link);
        return true;
    }
    event->type = RELOAD_LINK_TOO_LONG;
    dtls->returns = dtls->returns && reload_reliable_take_long(dtls->reliable, &event->message);
    return dtls->returns;
}
