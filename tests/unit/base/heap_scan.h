// SPDX-License-Identifier: MIT
// Looks for a text in this process's own heap, freed blocks included.
// The text searched for must live on the stack, which is not scanned.
#ifndef TS_TESTS_UNIT_BASE_HEAP_SCAN_H
#define TS_TESTS_UNIT_BASE_HEAP_SCAN_H

#include <stddef.h>

// How often the text occurs in [heap] and in anonymous writable mappings.
size_t heap_scan(const char *text);

#endif
