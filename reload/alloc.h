#ifndef RELOAD_ALLOC_H
#define RELOAD_ALLOC_H

#include <stddef.h>

/* All memory of reload/ and topology/ comes from here, so that a test can make the n-th request
 * fail. Every function may return NULL; sizes are bytes. Safe from any thread. */

void *reload_alloc(size_t size);                 /* uninitialised */
void *reload_calloc(size_t count, size_t size);  /* zeroed; NULL too when count*size overflows */
void *reload_realloc(void *p, size_t size);      /* on failure p stays as it was */
void *reload_memdup(const void *p, size_t size); /* size 0 gives a valid pointer */
char *reload_strndup(const char *s, size_t len); /* always terminated */
void reload_free(void *p);                       /* NULL is fine */

/* For tests: the n-th request from now on (1 = the next) and all later ones fail; 0 turns that off.
 */
void reload_alloc_fail_at(unsigned long n);
/* For tests: that one request fails and no other. */
void reload_alloc_fail_only(unsigned long n);
/* For tests and benchmarks: requests made so far. */
unsigned long reload_alloc_count(void);

#endif
