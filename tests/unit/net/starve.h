// SPDX-License-Identifier: MIT
// Makes a chosen allocation of the room or of libcurl fail, and counts what is still allocated.
// Only the thread that calls starve_after is concerned; the test is linked with --wrap.
#ifndef TS_TESTS_UNIT_NET_STARVE_H
#define TS_TESTS_UNIT_NET_STARVE_H

#include <stdbool.h>

// Hands libcurl the failing allocators. Before anything else uses libcurl.
void starve_init(void);

// Lets count more allocations of this thread succeed and fails one; negative: none fails.
void starve_after(long count);

// Whether that one has failed since.
bool starve_has_failed(void);

// Blocks of this thread that are allocated now.
long starve_live(void);

// Blocks of ours that this thread freed with this text still in them.
#define STARVE_CREDENTIAL "Authorization: Bearer"
long starve_unwiped(void);

#endif
