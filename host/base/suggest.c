// SPDX-License-Identifier: MIT
// Nearest name by edit distance.
// Names are short; longer words get no suggestion.
#include "host/base/suggest.h"

#include <stdio.h>
#include <string.h>

#define WORD_MAX 32

// Levenshtein distance of two words of at most WORD_MAX characters.
static int distance(const char *a, const char *b)
{
    int row[WORD_MAX + 1];
    int width = (int)strlen(b);
    for (int j = 0; j <= width; j++) {
        row[j] = j;
    }
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= width; j++) {
            int best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
        }
    }
    return row[width];
}

void ts_suggest(const char *word, const char *const *names, char out[TS_SUGGEST_MAX])
{
    const char *best = NULL;
    size_t len = strlen(word);
    int limit = len <= 3 ? 2 : 3; // more differences than this are another word
    out[0] = '\0';
    if (len > WORD_MAX) {
        return;
    }
    for (; *names; names++) {
        if (strlen(*names) <= WORD_MAX) {
            int d = distance(word, *names);
            if (d < limit) {
                limit = d;
                best = *names;
            }
        }
    }
    if (best) {
        snprintf(out, TS_SUGGEST_MAX, " (did you mean `%s`?)", best);
    }
}
