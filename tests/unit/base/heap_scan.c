// SPDX-License-Identifier: MIT
// Reads /proc/self/maps and the memory that it names; see the header.
// Mappings with a path, and the stack, are left out.
#include "tests/unit/base/heap_scan.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t region_scan(const char *start, const char *end, const char *text)
{
    size_t len = strlen(text);
    size_t hits = 0;
    const char *spot = start;
    while ((spot = memmem(spot, (size_t)(end - spot), text, len))) {
        hits++;
        spot += len;
    }
    return hits;
}

size_t heap_scan(const char *text)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    if (!maps) {
        abort();
    }
    size_t hits = 0;
    char line[512];
    while (fgets(line, sizeof line, maps)) {
        char *rest = NULL;
        uintptr_t start = strtoul(line, &rest, 16);
        uintptr_t end = strtoul(rest + 1, &rest, 16);
        bool is_writable = strncmp(rest, " rw", 3) == 0;
        bool is_named = strchr(line, '/') || strchr(line, '[');
        if (is_writable && (!is_named || strstr(line, "[heap]"))) {
            hits += region_scan((const char *)start, (const char *)end, text);
        }
    }
    fclose(maps);
    return hits;
}
