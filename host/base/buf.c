// SPDX-License-Identifier: MIT
// Growth by doubling, never by realloc: realloc may leave an unwiped copy behind.
// Every failure leaves the buffer exactly as it was.
#include "host/base/buf.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/pool.h"

// Wipes and releases the block, if there is one.
static void block_release(const struct ts_buf *buf)
{
    if (buf->data && buf->pool) {
        ts_pool_release(buf->pool, buf->data, buf->cap);
    } else if (buf->data) {
        explicit_bzero(buf->data, buf->cap);
        free(buf->data);
    }
}

static enum ts_err buf_grow(struct ts_buf *buf, size_t extra)
{
    if (extra > buf->max || buf->len > buf->max - extra) {
        return TS_ERR_TOO_LARGE;
    }
    size_t need = buf->len + extra + 1; // the NUL
    size_t cap = buf->cap ? buf->cap : 256;
    while (cap < need) {
        cap = cap > SIZE_MAX / 2 ? need : cap * 2;
    }
    if (cap >= buf->max) {
        cap = buf->max + 1; // no more than it may fill, and not a byte less, to grow by later
    }
    char *data = buf->pool ? ts_pool_take(buf->pool, cap) : malloc(cap);
    if (!data) {
        return TS_ERR_NOMEM;
    }
    if (buf->data) {
        memcpy(data, buf->data, buf->len + 1);
        block_release(buf);
    }
    buf->data = data;
    buf->cap = cap;
    return TS_OK;
}

static enum ts_err buf_reserve(struct ts_buf *buf, size_t extra)
{
    bool has_room = extra < buf->cap - buf->len; // for the NUL as well; and the ceiling is higher
    return has_room ? TS_OK : buf_grow(buf, extra);
}

void ts_buf_init(struct ts_buf *buf, size_t max)
{
    ts_buf_init_pooled(buf, max, NULL);
}

void ts_buf_init_pooled(struct ts_buf *buf, size_t max, struct ts_pool *pool)
{
    *buf = (struct ts_buf){.max = max, .pool = pool};
}

void ts_buf_fini(struct ts_buf *buf)
{
    block_release(buf);
    ts_buf_init_pooled(buf, buf->max, buf->pool);
}

void ts_buf_clear(struct ts_buf *buf)
{
    if (buf->data) {
        explicit_bzero(buf->data, buf->len);
        buf->data[0] = '\0';
    }
    buf->len = 0;
}

enum ts_err ts_buf_extend(struct ts_buf *buf, size_t len, char **room)
{
    enum ts_err code = buf_reserve(buf, len);
    if (code) {
        return code;
    }
    *room = buf->data + buf->len;
    buf->len += len;
    buf->data[buf->len] = '\0';
    return TS_OK;
}

enum ts_err ts_buf_add(struct ts_buf *buf, const void *data, size_t len)
{
    char *room;
    enum ts_err code = ts_buf_extend(buf, len, &room);
    if (!code && len > 0) {
        memcpy(room, data, len);
    }
    return code;
}

enum ts_err ts_buf_add_str(struct ts_buf *buf, const char *text)
{
    return ts_buf_add(buf, text, strlen(text));
}

enum ts_err ts_buf_add_char(struct ts_buf *buf, char c)
{
    return ts_buf_add(buf, &c, 1);
}

enum ts_err ts_buf_add_format(struct ts_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (len < 0) {
        return TS_ERR_INTERNAL;
    }
    enum ts_err code = buf_reserve(buf, (size_t)len);
    if (code) {
        return code;
    }
    va_start(args, format);
    vsnprintf(buf->data + buf->len, (size_t)len + 1, format, args);
    va_end(args);
    buf->len += (size_t)len;
    return TS_OK;
}

const char *ts_buf_text(const struct ts_buf *buf)
{
    return buf->data ? buf->data : "";
}
