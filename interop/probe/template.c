#include "interop/probe/template.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/probe/memory.h"

#define DEPTH_MAX 24
#define WORD_MAX  160

struct walk {
    const struct probe_scope *scope;
    const struct probe_functions *functions;
    struct probe_scope *captures; /* only while comparing */
    struct probe_fault *fault;
    const char *whole;
    int depth;
};

int probe_fault_set(struct probe_fault *fault, const char *format, ...)
{
    va_list arguments;
    if (fault->text[0])
        return -1;
    va_start(arguments, format);
    vsnprintf(fault->text, sizeof fault->text, format, arguments);
    va_end(arguments);
    return -1;
}

char *probe_hex(struct reload_slice bytes)
{
    char *out = probe_calloc(2 * bytes.n + 1, 1);
    for (size_t i = 0; i < bytes.n; i++)
        snprintf(out + 2 * i, 3, "%02x", bytes.p[i]);
    return out;
}

/* --- what a text consists of --- */

static int render(struct walk *w, const char **p, char stop, struct reload_buffer *out);

static int bad(struct walk *w, const char *p, const char *what)
{
    return probe_fault_set(w->fault, "template: %s at \"%.40s\" in \"%.120s\"", what, p, w->whole);
}

static const char *blanks(const char *p)
{
    while (isspace((unsigned char)*p))
        p++;
    return p;
}

static int digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "<2+1 ": the width of the length and what is added to it. */
static int open_vector(struct walk *w, const char **p, size_t *width, long *off)
{
    *off = 0;
    if ((*p)[1] < '1' || (*p)[1] > '4')
        return bad(w, *p, "a vector's width");
    *width = (size_t)((*p)[1] - '0');
    *p += 2;
    if (**p == '+' || **p == '-')
        *off = strtol(*p, (char **)p, 10);
    return 0;
}

static int render_vector(struct walk *w, const char **p, struct reload_buffer *out)
{
    size_t width;
    long off;
    struct reload_buffer inner = { 0 };
    if (open_vector(w, p, &width, &off))
        return -1;
    int status = render(w, p, '>', &inner);
    unsigned long len = (unsigned long)((long)reload_buffer_len(&inner) + off);
    for (size_t i = width; status == 0 && i > 0; i--)
        probe_append_byte(out, (unsigned)(len >> 8 * (i - 1) & 0xff));
    if (status == 0)
        probe_append(out, probe_buffer_slice(&inner));
    reload_buffer_free(&inner);
    return status;
}

static void add(uint8_t *number, size_t len, long n)
{
    bool negative = n < 0;
    unsigned long carry = (unsigned long)(negative ? -n : n);
    for (size_t i = len; i > 0 && carry; i--) {
        unsigned long low = carry & 0xff;
        unsigned sum = negative ? number[i - 1] - (unsigned)low : number[i - 1] + (unsigned)low;
        carry = (carry >> 8) + (sum > 0xff ? 1 : 0);
        number[i - 1] = (uint8_t)sum;
    }
}

static int render_name(struct walk *w, const char *word, struct reload_buffer *out)
{
    char name[WORD_MAX];
    size_t len = strcspn(word, "+-");
    snprintf(name, sizeof name, "%.*s", (int)len, word);
    const struct probe_name *found = probe_scope_find(w->scope, name);
    size_t before = reload_buffer_len(out);
    if (!found)
        return bad(w, word, "an unknown name");
    if (found->text) {
        const char *p = found->text;
        if (render(w, &p, '\0', out))
            return -1;
    } else {
        probe_append(out, reload_slice_of(found->bytes, found->len));
    }
    if (word[len])
        add(out->p + out->start + before, reload_buffer_len(out) - before,
            strtol(word + len, NULL, 10));
    return 0;
}

/* The word between "{" and the ":", "*" or "}" that ends it. */
static int read_word(struct walk *w, const char **p, char word[WORD_MAX])
{
    size_t n = strcspn(*p + 1, ":}*");
    if (n >= WORD_MAX || !(*p)[1 + n])
        return bad(w, *p, "no end of a word");
    memcpy(word, *p + 1, n);
    word[n] = '\0';
    *p += 1 + n;
    return 0;
}

static int render_function(struct walk *w, const char *word, const char **p,
                           struct reload_buffer *out)
{
    struct reload_buffer input = { 0 };
    (*p)++;
    int status = render(w, p, '}', &input);
    if (status == 0 && !w->functions)
        status = bad(w, word, "a function where there are none");
    if (status == 0)
        status = w->functions->call(w->functions->context, w->scope, word,
                                    probe_buffer_slice(&input), out, w->fault);
    reload_buffer_free(&input);
    return status;
}

static int render_times(struct walk *w, const char *word, const char **p, struct reload_buffer *out)
{
    struct reload_buffer once = { 0 };
    (*p)++;
    int status = render(w, p, '}', &once);
    for (long n = strtol(word, NULL, 10); status == 0 && n > 0; n--)
        probe_append(out, probe_buffer_slice(&once));
    reload_buffer_free(&once);
    return status;
}

static int render_braces(struct walk *w, const char **p, struct reload_buffer *out)
{
    char word[WORD_MAX];
    if (read_word(w, p, word))
        return -1;
    if (**p == ':')
        return render_function(w, word, p, out);
    if (**p == '*')
        return render_times(w, word, p, out);
    (*p)++;
    return render_name(w, word, out);
}

static int render_text(struct walk *w, const char **p, struct reload_buffer *out)
{
    const char *end = strchr(*p + 1, '\'');
    if (!end)
        return bad(w, *p, "no end of a text");
    probe_append(out, reload_slice_of(*p + 1, (size_t)(end - *p - 1)));
    *p = end + 1;
    return 0;
}

static int render_hex(struct walk *w, const char **p, struct reload_buffer *out)
{
    int high = digit((*p)[0]), low = high < 0 ? -1 : digit((*p)[1]);
    if (low < 0)
        return bad(w, *p, "no hexadecimal byte");
    probe_append_byte(out, (unsigned)(high << 4 | low));
    *p += 2;
    return 0;
}

static int render_token(struct walk *w, const char **p, struct reload_buffer *out)
{
    switch (**p) {
    case '<': return render_vector(w, p, out);
    case '{': return render_braces(w, p, out);
    case '\'': return render_text(w, p, out);
    default: return render_hex(w, p, out);
    }
}

static int render(struct walk *w, const char **p, char stop, struct reload_buffer *out)
{
    int status = 0;
    if (++w->depth > DEPTH_MAX)
        status = bad(w, *p, "a name that stands for itself");
    while (status == 0 && *(*p = blanks(*p)) && **p != stop)
        status = render_token(w, p, out);
    w->depth--;
    if (status || stop == '\0')
        return status;
    if (**p != stop)
        return bad(w, *p, "no end of a vector or word");
    (*p)++;
    return 0;
}

int probe_render(const struct probe_scope *scope, const struct probe_functions *functions,
                 const char *text, struct reload_buffer *out, struct probe_fault *fault)
{
    struct walk w = { scope, functions, NULL, fault, text, 0 };
    return render(&w, &text, '\0', out);
}

/* --- comparing --- */

struct input {
    struct reload_slice whole;
    size_t at, end;
};

static int match(struct walk *w, const char **p, char stop, struct input *in);

static int differs(struct walk *w, const struct input *in, struct reload_slice wanted)
{
    size_t n = in->end - in->at < wanted.n ? in->end - in->at : wanted.n;
    char *have = probe_hex(reload_slice_of(in->whole.p + in->at, n > 24 ? 24 : n));
    char *want = probe_hex(reload_slice_of(wanted.p, wanted.n > 24 ? 24 : wanted.n));
    probe_fault_set(w->fault, "at byte %zu: %s%s, where %s is expected", in->at,
                    n ? have : "the end", n > 24 ? "..." : "", want);
    free(have);
    free(want);
    return -1;
}

static int match_bytes(struct walk *w, struct input *in, struct reload_slice wanted)
{
    if (wanted.n == 0)
        return 0;
    if (in->end - in->at < wanted.n || memcmp(in->whole.p + in->at, wanted.p, wanted.n) != 0)
        return differs(w, in, wanted);
    in->at += wanted.n;
    return 0;
}

static int match_vector(struct walk *w, const char **p, struct input *in)
{
    size_t width, len = 0;
    long off;
    if (open_vector(w, p, &width, &off))
        return -1;
    if (in->end - in->at < width)
        return probe_fault_set(w->fault, "at byte %zu: the end, where a length is expected",
                               in->at);
    for (size_t i = 0; i < width; i++)
        len = len << 8 | in->whole.p[in->at++];
    if (in->end - in->at < len)
        return probe_fault_set(w->fault, "at byte %zu: a length of %zu, with %zu bytes behind it",
                               in->at - width, len, in->end - in->at);
    struct input inner = { in->whole, in->at, in->at + len };
    if (match(w, p, '>', &inner))
        return -1;
    if (inner.at != inner.end)
        return probe_fault_set(w->fault, "at byte %zu: %zu bytes left over in a vector", inner.at,
                               inner.end - inner.at);
    in->at = inner.end;
    return 0;
}

static int skip(struct walk *w, struct input *in, size_t n, const char *name)
{
    if (in->end - in->at < n)
        return probe_fault_set(w->fault, "at byte %zu: %zu bytes, where %zu are expected", in->at,
                               in->end - in->at, n);
    if (name)
        probe_scope_bytes(w->captures, name, reload_slice_of(in->whole.p + in->at, n));
    in->at += n;
    return 0;
}

/* "{=name:8}" or "{=name}" */
static int match_capture(struct walk *w, const char **p, struct input *in)
{
    char word[WORD_MAX];
    if (read_word(w, p, word))
        return -1;
    size_t n = in->end - in->at;
    if (**p == ':')
        n = strtoul(*p + 1, (char **)p, 10);
    if (**p != '}')
        return bad(w, *p, "no end of a name");
    (*p)++;
    return skip(w, in, n, word + 1);
}

static int match_any(struct walk *w, const char **p, struct input *in)
{
    size_t n = strtoul(*p + 2, (char **)p, 10);
    if (**p != '}')
        return bad(w, *p, "no end of a count");
    (*p)++;
    return skip(w, in, n, NULL);
}

static int match_find(struct walk *w, const char **p, struct input *in)
{
    struct reload_buffer wanted = { 0 };
    *p += strlen("{find:");
    int status = render(w, p, '}', &wanted);
    struct reload_slice s = probe_buffer_slice(&wanted);
    const void *found =
        status ? NULL
               : memmem(in->whole.p + in->at, in->end - in->at, s.p ? s.p : (uint8_t *)"", s.n);
    if (status == 0 && !found)
        status = probe_fault_set(w->fault, "after byte %zu: what is expected is not there", in->at);
    if (status == 0)
        in->at = (size_t)((const uint8_t *)found - in->whole.p) + s.n;
    reload_buffer_free(&wanted);
    return status;
}

static int match_rendered(struct walk *w, const char **p, struct input *in)
{
    struct reload_buffer wanted = { 0 };
    int status = render_token(w, p, &wanted);
    if (status == 0)
        status = match_bytes(w, in, probe_buffer_slice(&wanted));
    reload_buffer_free(&wanted);
    return status;
}

static int match_token(struct walk *w, const char **p, struct input *in)
{
    if (strncmp(*p, "...", 3) == 0) {
        *p += 3;
        in->at = in->end;
        return 0;
    }
    if (strncmp(*p, "??", 2) == 0) {
        *p += 2;
        return skip(w, in, 1, NULL);
    }
    if (**p == '<')
        return match_vector(w, p, in);
    if (strncmp(*p, "{=", 2) == 0)
        return match_capture(w, p, in);
    if (strncmp(*p, "{*", 2) == 0)
        return match_any(w, p, in);
    if (strncmp(*p, "{find:", 6) == 0)
        return match_find(w, p, in);
    return match_rendered(w, p, in);
}

static int match(struct walk *w, const char **p, char stop, struct input *in)
{
    int status = 0;
    while (status == 0 && *(*p = blanks(*p)) && **p != stop)
        status = match_token(w, p, in);
    if (status || stop == '\0')
        return status;
    if (**p != stop)
        return bad(w, *p, "no end of a vector");
    (*p)++;
    return 0;
}

int probe_match(const struct probe_scope *scope, const struct probe_functions *functions,
                const char *text, struct reload_slice bytes, struct probe_scope *captures,
                struct probe_fault *fault)
{
    struct walk w = { scope, functions, captures, fault, text, 0 };
    struct input in = { bytes, 0, bytes.n };
    if (match(&w, &text, '\0', &in))
        return -1;
    if (in.at != in.end)
        return probe_fault_set(fault, "at byte %zu: %zu bytes left over", in.at, in.end - in.at);
    return 0;
}
