// SPDX-License-Identifier: MIT
// Both kinds of form go through libmicrohttpd's post processor, JSON through SQLite.
// Values are cut at their field's size; no valid value is that long.
#include "host/sandbox/siteverify_input.h"

#include <microhttpd.h>
#include <stddef.h>
#include <string.h>

#include "host/base/str.h"
#include "host/sandbox/json.h"

struct input_row {
    const char *name;
    size_t offset;
    size_t size;
};

#define INPUT_ROW(field)                                                                           \
    {                                                                                              \
#field, offsetof(struct ts_sandbox_siteverify_input, field),                               \
            sizeof(((struct ts_sandbox_siteverify_input *)0)->field)                               \
    }

static const struct input_row input_rows[] = {
    INPUT_ROW(secret),
    INPUT_ROW(response),
    INPUT_ROW(remoteip),
    INPUT_ROW(idempotency_key),
};

// Puts bytes at an offset of the named field; what does not fit is dropped. A NUL would end the
// text early, so it becomes a character that no value has.
static void input_put(struct ts_sandbox_siteverify_input *input, const char *name,
    const char *bytes, size_t at, size_t len)
{
    for (size_t i = 0; i < sizeof input_rows / sizeof input_rows[0]; i++) {
        const struct input_row *row = &input_rows[i];
        if (!ts_str_is(row->name, name)) {
            continue;
        }
        char *field = (char *)input + row->offset;
        for (size_t j = 0; j < len && at + j + 1 < row->size; j++) {
            field[at + j] = bytes[j] ? bytes[j] : '\x01';
            field[at + j + 1] = '\0';
        }
    }
}

static bool input_is_name(const char *name)
{
    for (size_t i = 0; i < sizeof input_rows / sizeof input_rows[0]; i++) {
        if (ts_str_is(input_rows[i].name, name)) {
            return true;
        }
    }
    return false;
}

static enum MHD_Result on_form_value(void *self, enum MHD_ValueKind kind, const char *key,
    const char *filename, const char *type, const char *encoding, const char *data, uint64_t offset,
    size_t size)
{
    (void)kind;
    (void)filename;
    (void)type;
    (void)encoding;
    if (key && offset <= TS_SANDBOX_BODY_MAX) {
        input_put(self, key, data, (size_t)offset, size);
    }
    return MHD_YES;
}

static bool input_read_form(
    struct ts_sandbox_siteverify_input *input, const struct ts_sandbox_request *request)
{
    struct MHD_PostProcessor *form =
        MHD_create_post_processor(request->connection, 8192, on_form_value, input);
    if (!form) {
        return false;
    }
    bool is_read = request->body.len == 0 || MHD_post_process(form, ts_buf_text(&request->body),
                                                 request->body.len) == MHD_YES;
    // Hands out the last value, and says whether a multipart body had its end.
    return (MHD_destroy_post_processor(form) == MHD_YES) && is_read;
}

static bool input_read_json(struct ts_sandbox_siteverify_input *input,
    const struct ts_sandbox_request *request, struct ts_sandbox_store *store)
{
    if (ts_sandbox_json_check(store, ts_buf_text(&request->body), request->body.len)) {
        return false;
    }
    sqlite3_stmt *stmt = ts_sandbox_json_borrow_members(store, &request->body);
    if (!stmt) {
        return false;
    }
    int code = SQLITE_OK;
    bool is_fine = true;
    while (is_fine && (code = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *type = ts_sandbox_store_text(stmt, 1);
        const char *name = ts_sandbox_store_text(stmt, 0);
        bool is_text = ts_str_is(type, "text");
        if (is_text) {
            const char *value = ts_sandbox_store_text(stmt, 2);
            input_put(input, name, value, 0, (size_t)sqlite3_column_bytes(stmt, 2));
        }
        is_fine = is_text || ts_str_is(type, "null") || !input_is_name(name);
    }
    sqlite3_reset(stmt);
    return is_fine && code == SQLITE_DONE;
}

bool ts_sandbox_siteverify_input_read(struct ts_sandbox_siteverify_input *input,
    const struct ts_sandbox_request *request, struct ts_sandbox_store *store)
{
    *input = (struct ts_sandbox_siteverify_input){0};
    if (ts_sandbox_request_is_too_large(request)) {
        return false;
    }
    return ts_sandbox_request_has_type(request, "application/json")
               ? input_read_json(input, request, store)
               : input_read_form(input, request);
}
