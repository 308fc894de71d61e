// SPDX-License-Identifier: MIT
// The lesser and the greater of two figures, as counts of requests and moments.
#ifndef TS_API_LEAST_H
#define TS_API_LEAST_H

#include <stdint.h>

static inline int64_t ts_least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static inline int64_t ts_most(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#endif
