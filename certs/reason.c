#include "certs/reason.h"

#include <stdarg.h>
#include <stdio.h>

int reload_cert_refuse(struct reload_cert_reason *reason, int error, const char *format, ...)
{
    if (!reason)
        return error;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason->text, sizeof reason->text, format, arguments);
    va_end(arguments);
    /* Names in a reason may come from a hostile file: they must not drive a terminal. */
    for (char *c = reason->text; *c; c++)
        if (*c < 0x20 || *c > 0x7e)
            *c = '?';
    return error;
}

int reload_cert_no_memory(struct reload_cert_reason *reason)
{
    return reload_cert_refuse(reason, RELOAD_E_NOMEM, "no memory");
}
