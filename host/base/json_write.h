// SPDX-License-Identifier: MIT
// Writes JSON into a buffer. Reading it is other rooms' work.
// An error stays until the end, so that a row of calls needs one look at it.
#ifndef TS_BASE_JSON_WRITE_H
#define TS_BASE_JSON_WRITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/base/buf.h"

// Appends a string, behind a comma or not, whose bytes are known to be UTF-8: only what JSON asks
// for is escaped. TOO_LARGE and NOMEM, as ts_buf_add.
enum ts_err ts_json_add_string(struct ts_buf *buf, bool comma, const char *text, size_t len);

// Appends a string of any bytes, as harmless as what a terminal gets: control characters and marks
// that reorder text are escaped, what is no UTF-8 becomes U+FFFD. TOO_LARGE and NOMEM.
enum ts_err ts_json_add_text(struct ts_buf *buf, const char *text, size_t len);

struct ts_json_writer {
    struct ts_buf *buf; // borrowed
    enum ts_err code;   // the first error; nothing is written after it
    bool is_behind;     // something stands before the next member: a comma goes between
};

// Makes a writer that appends to buf.
void ts_json_writer_init(struct ts_json_writer *json, struct ts_buf *buf);

// Opens an object ('{') or a list ('[') and closes it ('}', ']'). In each of these name is the
// member's, NULL for an item of a list or the whole text; names are ours and are not escaped.
void ts_json_open(struct ts_json_writer *json, const char *name, char bracket);
void ts_json_close(struct ts_json_writer *json, char bracket);

// A text as ts_json_add_text writes it; null for NULL.
void ts_json_text(struct ts_json_writer *json, const char *name, const char *text);

// The same, but "" is null as well.
void ts_json_word(struct ts_json_writer *json, const char *name, const char *text);

// A value that is JSON already.
void ts_json_value(struct ts_json_writer *json, const char *name, const char *value);

void ts_json_int(struct ts_json_writer *json, const char *name, int64_t value);
void ts_json_bool(struct ts_json_writer *json, const char *name, bool value);
void ts_json_null(struct ts_json_writer *json, const char *name);

#endif
