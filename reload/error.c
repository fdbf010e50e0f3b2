#include "reload/error.h"

const char *reload_error_text(int error)
{
    switch ((enum reload_error)error) {
    case RELOAD_OK: return "success";
    case RELOAD_E_DECODE: return "malformed bytes";
    case RELOAD_E_NOSPACE: return "does not fit the buffer or length field";
    case RELOAD_E_NOMEM: return "out of memory";
    case RELOAD_E_INVALID: return "invalid argument or document";
    case RELOAD_E_STATE: return "not possible in this state";
    case RELOAD_E_LIMIT: return "limit reached";
    case RELOAD_E_NOT_FOUND: return "not found";
    case RELOAD_E_SIGNATURE: return "signature does not verify";
    case RELOAD_E_CERTIFICATE: return "no acceptable certificate";
    case RELOAD_E_FORBIDDEN: return "not allowed";
    case RELOAD_E_EXPIRED: return "expired";
    case RELOAD_E_UNSUPPORTED: return "not supported";
    case RELOAD_E_TOO_OLD: return "too old";
    case RELOAD_E_TIMEOUT: return "timed out";
    case RELOAD_E_CLOSED: return "closed";
    case RELOAD_E_IO: return "input/output error";
    }
    return "unknown error";
}
