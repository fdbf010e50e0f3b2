#include "media/fingerprint.h"
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HASH "sha-256"

const char *reload_media_fingerprint_text(const uint8_t fingerprint[RELOAD_ENGINE_FINGERPRINT_LEN],
                                          char text[RELOAD_MEDIA_FINGERPRINT_TEXT])
{
    char *to = text + snprintf(text, RELOAD_MEDIA_FINGERPRINT_TEXT, HASH);
    for (size_t i = 0; i < RELOAD_ENGINE_FINGERPRINT_LEN; i++)
        to += snprintf(to, 4, "%c%02X", i == 0 ? ' ' : ':', fingerprint[i]);
    return text;
}

static int digit(char c)
{
    static const char digits[] = "0123456789abcdef";
    const char *at = c ? strchr(digits, c | 0x20) : NULL;
    return at ? (int)(at - digits) : -1;
}

int reload_media_fingerprint_parse(const char *text,
                                   uint8_t fingerprint[RELOAD_ENGINE_FINGERPRINT_LEN])
{
    size_t name_len = strcspn(text, " ");
    if (text[name_len] != ' ')
        return RELOAD_E_DECODE;
    if (name_len != sizeof HASH - 1 || strncasecmp(text, HASH, name_len) != 0)
        return RELOAD_E_UNSUPPORTED;
    const char *from = text + name_len + 1;
    for (size_t i = 0; i < RELOAD_ENGINE_FINGERPRINT_LEN; i++, from += 3) {
        char end = i + 1 < RELOAD_ENGINE_FINGERPRINT_LEN ? ':' : '\0';
        int high = digit(from[0]), low = high < 0 ? -1 : digit(from[1]);
        if (low < 0 || from[2] != end)
            return RELOAD_E_DECODE;
        fingerprint[i] = (uint8_t)(high << 4 | low);
    }
    return 0;
}
