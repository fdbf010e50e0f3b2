#include "reload/log.h"

#include <stdarg.h>
#include <stdio.h>

void reload_log_write(const struct reload_log *log, enum reload_log_level level, const char *area,
                      const char *format, ...)
{
    if (!log || !log->write || level > log->level)
        return;
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e)
            *p = '?';
    log->write(log->context, level, area, text);
}
