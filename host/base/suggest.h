// SPDX-License-Identifier: MIT
// "did you mean ...?" for misspelt names.
// Pure C on short strings.
#ifndef TS_BASE_SUGGEST_H
#define TS_BASE_SUGGEST_H

#define TS_SUGGEST_MAX 96

// Writes " (did you mean `name`?)" for the name nearest to word among the NULL-terminated names, or
// "" when none is near.
void ts_suggest(const char *word, const char *const *names, char out[TS_SUGGEST_MAX]);

#endif
