// SPDX-License-Identifier: MIT
// A growable byte buffer with a ceiling. Bodies and headers pass through it, secrets included,
// so whatever it lets go of (old block on growth, last block at the end) is wiped first.
#ifndef TS_BASE_BUF_H
#define TS_BASE_BUF_H

#include <stddef.h>

#include "host/base/error.h"

struct ts_pool;

struct ts_buf {
    char *data; // NUL-terminated behind len once anything was added; NULL before
    size_t len;
    size_t cap;
    size_t max;           // most bytes it will hold; to be lowered only while it is empty
    struct ts_pool *pool; // where its memory is from; NULL: malloc
};

// Makes an empty buffer that will hold at most max bytes. Cannot fail, allocates nothing.
void ts_buf_init(struct ts_buf *buf, size_t max);

// The same for a buffer that comes and goes with each request: its memory is the pool's, which
// outlives it.
void ts_buf_init_pooled(struct ts_buf *buf, size_t max, struct ts_pool *pool);

// Wipes and releases. Accepts a zeroed struct and may run twice; the buffer is empty after it.
void ts_buf_fini(struct ts_buf *buf);

// Forgets the content (wiped), keeps the memory.
void ts_buf_clear(struct ts_buf *buf);

// Appends len bytes. TS_ERR_TOO_LARGE past the ceiling and TS_ERR_NOMEM leave the buffer as it was.
enum ts_err ts_buf_add(struct ts_buf *buf, const void *data, size_t len);

// Appends len bytes that the caller writes, all of them, before the next change: *room is where.
// Fails as ts_buf_add does.
enum ts_err ts_buf_extend(struct ts_buf *buf, size_t len, char **room);

// Appends a C string.
enum ts_err ts_buf_add_str(struct ts_buf *buf, const char *text);

// Appends one byte.
enum ts_err ts_buf_add_char(struct ts_buf *buf, char c);

// Appends printf-formatted text.
enum ts_err ts_buf_add_format(struct ts_buf *buf, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

// The content as a C string, "" when empty. Borrowed until the next change.
const char *ts_buf_text(const struct ts_buf *buf);

#endif
