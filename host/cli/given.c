// SPDX-License-Identifier: MIT
// An array of strings that grows; its closing bracket comes last.
#include "host/cli/given.h"

#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "host/base/json_write.h"
#include "host/base/str.h"
#include "host/base/text.h"
#include "host/cli/options.h"

#define GIVEN_MAX ((size_t)16 * 1024 * 1024) // more than any system lets a command line be

void ts_given_init(struct ts_given *given)
{
    *given = (struct ts_given){.is_odd = false};
    ts_buf_init(&given->json, GIVEN_MAX);
    given->is_odd = ts_buf_add_char(&given->json, '[') != TS_OK;
}

void ts_given_fini(struct ts_given *given)
{
    ts_buf_fini(&given->json);
}

static bool is_text(const char *word)
{
    size_t len = strlen(word), at = 0;
    while (at < len) {
        uint32_t point;
        size_t size = ts_text_read(word + at, len - at, &point);
        if (size == 0) {
            return false;
        }
        at += size;
    }
    return true;
}

void ts_given_add(struct ts_given *given, const char *word)
{
    bool is_first = given->json.len == 1;
    given->is_odd = given->is_odd || !is_text(word) ||
                    ts_json_add_string(&given->json, !is_first, word, strlen(word)) != TS_OK;
}

static bool is_left_out(const struct ts_given *given, const char *option)
{
    const char *const *name = given->left_out;
    while (name && *name && !ts_str_is(*name, option)) {
        name++;
    }
    return name && *name;
}

void ts_given_add_option(struct ts_given *given, const struct ts_option *option, const char *value)
{
    if (is_left_out(given, option->name)) {
        return;
    }
    char directory[PATH_MAX];
    struct ts_buf word;
    ts_buf_init(&word, GIVEN_MAX);
    enum ts_err code = ts_buf_add_format(&word, "--%s%s", option->name, value ? "=" : "");
    bool is_path = value && option->metavar && ts_str_is(option->metavar, TS_OPTION_FILE);
    if (!code && is_path && value[0] != '/') {
        code = getcwd(directory, sizeof directory) ? ts_buf_add_format(&word, "%s/", directory)
                                                   : TS_ERR_SYSTEM;
    }
    if (!code && value) {
        code = ts_buf_add_str(&word, value);
    }
    if (code) {
        given->is_odd = true;
    } else {
        ts_given_add(given, ts_buf_text(&word));
    }
    ts_buf_fini(&word);
}

const char *ts_given_text(struct ts_given *given)
{
    given->is_odd = given->is_odd || ts_buf_add_char(&given->json, ']') != TS_OK;
    return given->is_odd ? NULL : ts_buf_text(&given->json);
}
