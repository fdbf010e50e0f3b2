#include "reload/alloc.h"

#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static atomic_ulong requests;
static atomic_ulong fail_from; /* 0: never */
static atomic_ulong fail_to;   /* the last one to fail; 0: none is the last */

#ifdef RELOAD_OOM
/* The oom preset: RELOAD_FAIL_AT=n in the environment makes any program of the build fail its n-th
 * request and all later ones. */
__attribute__((constructor)) static void read_environment(void)
{
    const char *text = getenv("RELOAD_FAIL_AT");
    if (text)
        atomic_store(&fail_from, strtoul(text, NULL, 10));
}
#endif

static int refused(void)
{
    unsigned long n = atomic_fetch_add_explicit(&requests, 1, memory_order_relaxed) + 1;
    unsigned long from = atomic_load_explicit(&fail_from, memory_order_relaxed);
    unsigned long to = atomic_load_explicit(&fail_to, memory_order_relaxed);
    return from && n >= from && (!to || n <= to);
}

void *reload_alloc(size_t size)
{
    return refused() ? NULL : malloc(size ? size : 1);
}

void *reload_calloc(size_t count, size_t size)
{
    return refused() ? NULL : calloc(count ? count : 1, size ? size : 1);
}

void *reload_realloc(void *p, size_t size)
{
    return refused() ? NULL : realloc(p, size ? size : 1);
}

void *reload_memdup(const void *p, size_t size)
{
    void *copy = reload_alloc(size);
    if (copy && size)
        memcpy(copy, p, size);
    return copy;
}

char *reload_strndup(const char *s, size_t len)
{
    char *copy = len < SIZE_MAX ? reload_alloc(len + 1) : NULL;
    if (!copy)
        return NULL;
    memcpy(copy, s, len);
    copy[len] = '\0';
    return copy;
}

void reload_free(void *p)
{
    free(p);
}

void reload_alloc_fail_at(unsigned long n)
{
    atomic_store(&fail_to, 0);
    atomic_store(&fail_from, n ? atomic_load(&requests) + n : 0);
}

void reload_alloc_fail_only(unsigned long n)
{
    atomic_store(&fail_from, 0);
    atomic_store(&fail_to, n ? atomic_load(&requests) + n : 0);
    atomic_store(&fail_from, n ? atomic_load(&requests) + n : 0);
}

unsigned long reload_alloc_count(void)
{
    return atomic_load(&requests);
}
