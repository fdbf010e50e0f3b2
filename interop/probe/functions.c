#include "interop/probe/functions.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/probe/memory.h"

#define ENTRIES_MAX 256

static int sign(struct probe_run *run, const char *who, struct reload_slice input,
                struct reload_buffer *out, struct probe_fault *fault)
{
    uint8_t value[RELOAD_SIGNATURE_MAX];
    size_t len;
    const struct probe_actor *actor = probe_run_actor(run, who);
    const struct reload_cert_identity *identity = actor ? probe_actor_identity(actor) : NULL;
    if (!identity || reload_cert_identity_sign(identity, &input, 1, value, &len))
        return probe_fault_set(fault, "%s cannot sign", who);
    probe_append(out, reload_slice_of(value, len));
    return 0;
}

static int digest(struct probe_run *run, enum reload_hash_algorithm algorithm, size_t most,
                  struct reload_slice input, struct reload_buffer *out)
{
    uint8_t value[RELOAD_DIGEST_MAX];
    size_t len;
    if (reload_cert_crypto_ops.digest(run->actors[0]->certs, algorithm, &input, 1, value, &len))
        return -1;
    probe_append(out, reload_slice_of(value, len < most ? len : most));
    return 0;
}

/* Bytes of the Destination at p (s6.3.2.2): two in its short form. */
static size_t entry_len(struct reload_slice rest)
{
    if (rest.n < 2)
        return rest.n;
    size_t len = rest.p[0] & 0x80 ? 2 : 2 + (size_t)rest.p[1];
    return len < rest.n ? len : rest.n;
}

static int reverse(struct reload_slice input, struct reload_buffer *out)
{
    struct reload_slice entries[ENTRIES_MAX];
    size_t count = 0;
    for (size_t at = 0; at < input.n && count < ENTRIES_MAX; at += entries[count++].n) {
        struct reload_slice rest = { input.p + at, input.n - at };
        entries[count] = reload_slice_of(rest.p, entry_len(rest));
    }
    while (count > 0)
        probe_append(out, entries[--count]);
    return 0;
}

static int flip(struct reload_slice input, struct reload_buffer *out)
{
    probe_append(out, input);
    if (input.n)
        out->p[out->end - 1] ^= 1;
    return 0;
}

/* "2+38": the number of bytes, and 38 more, in two bytes. */
static int len(const char *words, struct reload_slice input, struct reload_buffer *out)
{
    char *rest;
    unsigned long width = strtoul(words, &rest, 10);
    unsigned long long n = input.n + (*rest == '+' ? strtoul(rest, NULL, 10) : 0);
    while (width-- > 0)
        probe_append_byte(out, (unsigned)(n >> 8 * width & 0xff));
    return 0;
}

static int part(const char *word, struct reload_slice input, struct reload_buffer *out)
{
    const char *count = strchr(word, ' ');
    size_t n = count ? strtoul(count, NULL, 10) : 0;
    if (n > input.n)
        n = input.n;
    bool first = strncmp(word, "first", 5) == 0;
    probe_append(out,
                 first ? reload_slice_of(input.p, n) : reload_slice_of(input.p + n, input.n - n));
    return 0;
}

static int room(size_t size, struct reload_slice used, struct reload_buffer *out)
{
    for (size_t n = used.n; n < size; n++)
        probe_append_byte(out, 0);
    return 0;
}

static const struct {
    const char *word;
    enum reload_hash_algorithm algorithm;
    size_t most;
} digests[] = {
    { "resource", RELOAD_HASH_SHA1, 16 },
    { "sha1", RELOAD_HASH_SHA1, RELOAD_DIGEST_MAX },
    { "sha256", RELOAD_HASH_SHA256, RELOAD_DIGEST_MAX },
    { "sha384", RELOAD_HASH_SHA384, RELOAD_DIGEST_MAX },
    { "sha512", RELOAD_HASH_SHA512, RELOAD_DIGEST_MAX },
};

int probe_call(void *context, const struct probe_scope *scope, const char *word,
               struct reload_slice input, struct reload_buffer *out, struct probe_fault *fault)
{
    struct probe_run *run = context;
    for (size_t i = 0; i < sizeof digests / sizeof *digests; i++)
        if (strcmp(word, digests[i].word) == 0)
            return digest(run, digests[i].algorithm, digests[i].most, input, out);
    if (strncmp(word, "sign ", 5) == 0)
        return sign(run, probe_scope_alias(scope, word + 5), input, out, fault);
    if (strcmp(word, "reverse") == 0)
        return reverse(input, out);
    if (strcmp(word, "flip") == 0)
        return flip(input, out);
    if (strncmp(word, "len ", 4) == 0)
        return len(word + 4, input, out);
    if (strncmp(word, "first ", 6) == 0 || strncmp(word, "from ", 5) == 0)
        return part(word, input, out);
    if (strcmp(word, "upto") == 0)
        return room(probe_number(input), (struct reload_slice){ 0 }, out);
    if (strcmp(word, "room") == 0)
        return room(run->world->config->max_message_size, input, out);
    return probe_fault_set(fault, "no function \"%s\"", word);
}
