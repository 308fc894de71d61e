// SPDX-License-Identifier: MIT
// Makes a chosen allocation fail and looks into what is freed. The test is linked with --wrap, so
// that only our own calls are counted and those of libraries are not.
#ifndef TS_TESTS_UNIT_BASE_ALLOC_H
#define TS_TESTS_UNIT_BASE_ALLOC_H

#include <stddef.h>

// Lets `after` more allocations succeed, fails one, then all succeed again; -1 never fails.
void alloc_fail_arm(int after);

// How many guarded blocks were asked of libsodium so far.
size_t alloc_guarded(void);

// From now on counts the blocks freed with this text in them; NULL stops.
void alloc_watch(const char *text);

// How many there were since alloc_watch.
size_t alloc_unwiped(void);

#endif
