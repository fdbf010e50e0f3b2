#include "certs/enroll/password.h"

#include <crypt.h>
#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Length of the UTF-8 character at p, 0 when it is none (RFC 3629: shortest form, no surrogates).
 */
static size_t utf8_char(const uint8_t *p, size_t n)
{
    if (p[0] < 0x80)
        return 1;
    size_t len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || n < len)
        return 0;
    uint8_t low = p[0] == 0xe0 ? 0xa0 : p[0] == 0xf0 ? 0x90 : 0x80;
    uint8_t high = p[0] == 0xed ? 0x9f : p[0] == 0xf4 ? 0x8f : 0xbf;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

const char *reload_enroll_password_problem(struct reload_slice password)
{
    if (password.n == 0)
        return "the password is empty";
    if (password.n > RELOAD_ENROLL_PASSWORD_MAX)
        return "the password is longer than 511 bytes";
    for (size_t i = 0; i < password.n;) {
        if (password.p[i] == 0)
            return "the password holds a NUL byte";
        size_t len = utf8_char(password.p + i, password.n - i);
        if (len == 0)
            return "the password is not UTF-8";
        i += len;
    }
    return NULL;
}

/* Runs crypt(3); the scratch memory and the copy of the password are wiped. */
static int run(const char *phrase, const char *setting, char out[RELOAD_ENROLL_HASH_MAX])
{
    void *scratch = NULL;
    int size = 0;
    errno = 0;
    const char *hash = crypt_ra(phrase, setting, &scratch, &size);
    int error = hash ? 0 : errno == ENOMEM ? RELOAD_E_NOMEM : RELOAD_E_INVALID;
    if (!error)
        snprintf(out, RELOAD_ENROLL_HASH_MAX, "%s", hash);
    if (scratch)
        OPENSSL_cleanse(scratch, (size_t)size);
    free(scratch);
    return error;
}

int reload_enroll_password_hash(struct reload_slice password, unsigned cost,
                                char out[RELOAD_ENROLL_HASH_MAX])
{
    if (reload_enroll_password_problem(password) || cost < RELOAD_ENROLL_COST_MIN ||
        cost > RELOAD_ENROLL_COST_MAX)
        return RELOAD_E_INVALID;
    char *setting = crypt_gensalt_ra("$y$", cost, NULL, 0);
    if (!setting)
        return errno == ENOMEM ? RELOAD_E_NOMEM : RELOAD_E_IO;
    char phrase[RELOAD_ENROLL_PASSWORD_MAX + 1];
    memcpy(phrase, password.p, password.n);
    phrase[password.n] = '\0';
    int error = run(phrase, setting, out);
    OPENSSL_cleanse(phrase, sizeof phrase);
    free(setting);
    return error;
}

int reload_enroll_password_verify(struct reload_slice password, const char *hash)
{
    char phrase[RELOAD_ENROLL_PASSWORD_MAX + 1] = "-";
    char got[RELOAD_ENROLL_HASH_MAX];
    bool possible = reload_enroll_password_problem(password) == NULL;
    if (possible) {
        memcpy(phrase, password.p, password.n);
        phrase[password.n] = '\0';
    }
    int error = run(phrase, hash, got);
    OPENSSL_cleanse(phrase, sizeof phrase);
    if (error == RELOAD_E_NOMEM)
        return error;
    size_t len = strlen(hash);
    bool equal = !error && strlen(got) == len && CRYPTO_memcmp(got, hash, len) == 0;
    OPENSSL_cleanse(got, sizeof got);
    return equal && possible ? 0 : RELOAD_E_FORBIDDEN;
}

int reload_enroll_password_read(const char *path, char out[RELOAD_ENROLL_PASSWORD_MAX + 1])
{
    char line[RELOAD_ENROLL_PASSWORD_MAX + 3]; /* room for CR LF, and NUL takes LF's place */
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "re");
    if (!file)
        return RELOAD_E_IO;
    size_t n = 0;
    int c;
    while ((c = getc(file)) != EOF && c != '\n' && n < sizeof line)
        line[n++] = (char)c;
    int error = ferror(file) ? RELOAD_E_IO : 0;
    if (!standard)
        (void)fclose(file);
    if (n > 0 && n <= sizeof line && line[n - 1] == '\r')
        n--;
    if (!error && reload_enroll_password_problem((struct reload_slice){ (uint8_t *)line, n }))
        error = RELOAD_E_INVALID;
    if (!error) {
        memcpy(out, line, n);
        out[n] = '\0';
    }
    OPENSSL_cleanse(line, sizeof line);
    return error;
}
