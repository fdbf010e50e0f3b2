#include "certs/enroll/username.h"

#include <string.h>

#define LOCAL_MAX 64
#define LABEL_MAX 63

static bool is_lower_or_digit(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_atom_byte(uint8_t c) /* RFC 5322 atext */
{
    return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') ||
           (c != 0 && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static const char *local_problem(const uint8_t *p, size_t n)
{
    if (n == 0 || n > LOCAL_MAX)
        return "the part before the @ must have 1 to 64 characters";
    if (p[0] == '.' || p[n - 1] == '.')
        return "the part before the @ must not begin or end with a dot";
    for (size_t i = 0; i < n; i++) {
        if (p[i] == '.' && p[i + 1] == '.') /* p[n] is the @ */
            return "the part before the @ must not hold two dots in a row";
        if (p[i] != '.' && !is_atom_byte(p[i]))
            return "the part before the @ may hold ASCII letters, digits, dots and "
                   "!#$%&'*+-/=?^_`{|}~ only";
    }
    return NULL;
}

static const char *domain_problem(const uint8_t *p, size_t n)
{
    size_t label = 0;
    if (n == 0)
        return "the domain after the @ is missing";
    for (size_t i = 0; i <= n; i++) {
        if (i == n || p[i] == '.') {
            if (label == 0 || label > LABEL_MAX || p[i - 1] == '-')
                return "each label of the domain must have 1 to 63 characters and not end with a "
                       "hyphen, and no dot may end the name";
            label = 0;
            continue;
        }
        if (p[i] >= 'A' && p[i] <= 'Z')
            return "the domain must be in lower case, because names are compared as bytes";
        if (!is_lower_or_digit(p[i]) && (p[i] != '-' || label == 0))
            return "the domain may hold lower-case letters, digits, hyphens and dots only";
        label++;
    }
    return NULL;
}

const char *reload_enroll_username_problem(struct reload_slice name)
{
    if (name.n == 0)
        return "the name is empty";
    if (name.n > RELOAD_ENROLL_USERNAME_MAX)
        return "the name is longer than 254 bytes";
    const uint8_t *at = memchr(name.p, '@', name.n);
    if (!at)
        return "the name must have the form local@domain";
    size_t local = (size_t)(at - name.p);
    const char *problem = local_problem(name.p, local);
    return problem ? problem : domain_problem(at + 1, name.n - local - 1);
}

void reload_enroll_username_fold(struct reload_slice name, uint8_t *out)
{
    for (size_t i = 0; i < name.n; i++)
        out[i] = (name.p[i] >= 'A' && name.p[i] <= 'Z') ? (uint8_t)(name.p[i] + 32) : name.p[i];
}
