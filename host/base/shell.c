// SPDX-License-Identifier: MIT
// Between single quotes a shell takes everything as it is, but for the single quote itself.
#include "host/base/shell.h"

#include <string.h>

#include "host/base/text.h"

static bool is_plain(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "-_./:,=@%+";
    return *word && word[strspn(word, plain)] == '\0';
}

static bool is_showable(const char *word)
{
    for (size_t len = strlen(word), at = 0; at < len;) {
        uint32_t point = 0;
        size_t size = ts_text_read(word + at, len - at, &point);
        if (size == 0 || ts_text_is_harmful(point)) {
            return false;
        }
        at += size;
    }
    return true;
}

// Bytes of the word between quotes, with them.
static size_t quoted_len(const char *word)
{
    size_t len = 2;
    for (; *word; word++) {
        len += *word == '\'' ? 4 : 1;
    }
    return len;
}

bool ts_shell_add(char *line, size_t size, const char *word)
{
    bool plain = is_plain(word);
    size_t len = strlen(line), gap = len > 0;
    size_t need = gap + (plain ? strlen(word) : quoted_len(word));
    if (!is_showable(word) || need >= size - len) {
        return false;
    }
    char *end = line + len;
    if (gap) {
        *end++ = ' ';
    }
    if (plain) {
        memcpy(end, word, strlen(word) + 1);
        return true;
    }
    *end++ = '\'';
    for (; *word; word++) {
        if (*word == '\'') {
            memcpy(end, "'\\'", 3); // out of the quotes, one by itself, and in again
            end += 3;
        }
        *end++ = *word;
    }
    *end++ = '\'';
    *end = '\0';
    return true;
}
