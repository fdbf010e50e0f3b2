#include "usage-sip/domain.h"

#include <regex.h>
#include <strings.h>

#include "reload/config/registry.h"
#include "usage-sip/aor.h"

/* --- patterns --- */

static bool compile(const char *pattern, regex_t *out)
{
    return strlen(pattern) <= RELOAD_SIP_PATTERN_MAX &&
           regcomp(out, pattern, REG_EXTENDED | REG_ICASE) == 0;
}

const char *reload_sip_pattern_refusal(const char *pattern)
{
    regex_t regex;
    if (*pattern == '\0')
        return "a domain pattern is empty";
    if (!compile(pattern, &regex))
        return "a domain pattern is no POSIX extended regular expression, or has more than 255 "
               "bytes";
    regfree(&regex);
    return NULL;
}

/* The leftmost longest match (POSIX) is asked to be the whole domain. Anchors put around a pattern
 * would not do: "a)|(b" would have them apply to its halves. */
static bool matches(const char *pattern, const char *domain)
{
    regex_t regex;
    regmatch_t match;
    if (!compile(pattern, &regex))
        return false;
    bool whole = regexec(&regex, domain, 1, &match, 0) == 0 && match.rm_so == 0 &&
                 (size_t)match.rm_eo == strlen(domain);
    regfree(&regex);
    return whole;
}

/* --- the parameters --- */

static bool is_named(const struct reload_kind_parameter *p, enum reload_kind_parameter_part part,
                     const char *name)
{
    return p->part == part && strcmp(p->namespace_uri, RELOAD_SIP_NAMESPACE) == 0 &&
           strcmp(p->name, name) == 0;
}

static bool is_restriction(const struct reload_kind_parameter *p)
{
    return is_named(p, RELOAD_PARAMETER_ELEMENT, "domain-restriction") ||
           is_named(p, RELOAD_PARAMETER_ELEMENT, "domain-restrictions");
}

struct restriction {
    const struct reload_kind_parameter *parts; /* NULL: there is none */
    size_t count;
    bool enabled;
};

/* A boolean of XML Schema. */
static bool read_boolean(const char *text, bool *out)
{
    *out = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    return *out || strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
}

/* NULL, or what is wrong. */
static const char *read_restriction(const struct reload_kind_config *kind, struct restriction *out)
{
    *out = (struct restriction){ 0 };
    for (size_t i = 0; i < kind->parameter_count; i++) {
        const struct reload_kind_parameter *p = &kind->parameters[i];
        if (!is_restriction(p))
            continue;
        if (out->parts)
            return "there are two domain-restrictions";
        out->parts = p + 1;
        while (i + 1 < kind->parameter_count &&
               kind->parameters[i + 1].part != RELOAD_PARAMETER_ELEMENT) {
            p = &kind->parameters[++i];
            out->count++;
            if (is_named(p, RELOAD_PARAMETER_ATTRIBUTE, "enable") &&
                !read_boolean(p->text, &out->enabled))
                return "enable of domain-restriction is neither true nor false";
        }
    }
    return NULL;
}

static const char *refuses(const struct reload_kind_config *kind)
{
    struct restriction r;
    const char *wrong = read_restriction(kind, &r);
    for (size_t i = 0; i < r.count && !wrong; i++)
        if (is_named(&r.parts[i], RELOAD_PARAMETER_CHILD, "pattern"))
            wrong = reload_sip_pattern_refusal(r.parts[i].text);
    return wrong;
}

/* RFC 7904 s3.4 */
static bool admits(const struct reload_config *config, const struct reload_kind_config *kind,
                   const char *domain)
{
    struct restriction r;
    if (read_restriction(kind, &r))
        return false;
    if (!r.parts)
        return true;
    if (!r.enabled)
        return strcasecmp(domain, config->instance_name) == 0;
    for (size_t i = 0; i < r.count; i++)
        if (is_named(&r.parts[i], RELOAD_PARAMETER_CHILD, "pattern") &&
            matches(r.parts[i].text, domain))
            return true;
    return false;
}

bool reload_sip_domain_is_hosted(const struct reload_config *config, const char *domain)
{
    const struct reload_kind_config *kind =
        reload_config_kind(config, RELOAD_KIND_SIP_REGISTRATION);
    return kind && admits(config, kind, domain);
}

/* RFC 7904 s3.3: the AOR is the user name that hashes to the Resource-ID, which USER-NODE-MATCH has
 * seen to. */
static int allows(const struct reload_access_question *q)
{
    struct reload_sip_aor aor;
    struct reload_slice user = q->signer->identity->user_name;
    return reload_sip_aor_read(user, &aor) == 0 &&
                   reload_slice_equal(reload_sip_aor_name(&aor), user) &&
                   admits(q->config, q->kind, reload_sip_aor_domain(&aor))
               ? 0
               : RELOAD_E_FORBIDDEN;
}

const struct reload_kind_ops reload_sip_kind_ops = {
    .kind = RELOAD_KIND_SIP_REGISTRATION,
    .refuses = refuses,
    .allows = allows,
};
