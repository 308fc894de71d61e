// SPDX-License-Identifier: MIT
// Reads /proc/self/maps and the memory that it names; see the header.
// Mappings with a path, and the stack, are left out.
#include "tests/unit/base/heap_scan.h"

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
        uintptr_t start = 0;
        uintptr_t end = 0;
        char mode[8] = "";
        char name[256] = "";
        if (sscanf(line, "%lx-%lx %7s %*s %*s %*s %255s", &start, &end, mode, name) < 3) {
            abort();
        }
        if (strncmp(mode, "rw", 2) == 0 && (name[0] == '\0' || strcmp(name, "[heap]") == 0)) {
            hits += region_scan((const char *)start, (const char *)end, text);
        }
    }
    fclose(maps);
    return hits;
}
