#ifndef TESTS_PEER_CHECK_H
#define TESTS_PEER_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define TEXT(s) reload_slice_of("" s, sizeof s - 1)

#endif
