// SPDX-License-Identifier: MIT
// Feeds libcsv a line at most at a time, so that no call of it can finish two records and nothing
// has to be queued. Spaces around a field are libcsv's to drop; those inside quotes stay.
#include "bindings/csv_reader.h"

#include <errno.h>
#include <string.h>

#include "host/base/str.h"

#define PIECE_MAX 4096

static bool is_newline(char c)
{
    return c == '\n' || c == '\r';
}

static bool reader_is_blank(const struct ts_csv_reader *reader, char c)
{
    return is_newline(c) || ((c == ' ' || c == '\t') && c != reader->delimiter);
}

// Length of the well-formed UTF-8 sequence at s, 0 when there is none (Unicode, table 3-7).
static size_t utf8_sequence(const unsigned char *s, size_t len)
{
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t need;
    if (s[0] < 0x80) {
        return 1;
    }
    if (s[0] >= 0xc2 && s[0] <= 0xdf) {
        need = 2;
    } else if (s[0] >= 0xe0 && s[0] <= 0xef) {
        need = 3;
        low = s[0] == 0xe0 ? 0xa0 : low;
        high = s[0] == 0xed ? 0x9f : high;
    } else if (s[0] >= 0xf0 && s[0] <= 0xf4) {
        need = 4;
        low = s[0] == 0xf0 ? 0x90 : low;
        high = s[0] == 0xf4 ? 0x8f : high;
    } else {
        return 0;
    }
    if (len < need || s[1] < low || s[1] > high) {
        return 0;
    }
    for (size_t i = 2; i < need; i++) {
        if (s[i] < 0x80 || s[i] > 0xbf) {
            return 0;
        }
    }
    return need;
}

static const char *text_problem(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    for (size_t i = 0; i < len;) {
        size_t n = utf8_sequence(s + i, len - i);
        if (n == 0) {
            return "not UTF-8; save the file as UTF-8";
        }
        if (s[i] == '\0') {
            return "a NUL byte; save the file as UTF-8 text";
        }
        i += n;
    }
    return NULL;
}

// libcsv's callbacks only note what they get; the first problem stays.
static void on_field(void *field, size_t len, void *data)
{
    struct ts_csv_reader *reader = data;
    if (reader->problem) {
        return;
    }
    if (reader->fields == TS_CSV_COLUMNS_MAX) {
        reader->problem = "more than 256 fields";
    } else if (len > TS_CSV_FIELD_MAX) {
        reader->problem = "a field is longer than 64 KiB";
    } else {
        reader->problem = text_problem(field, len);
    }
    if (!reader->problem && ts_buf_add(&reader->text, field, len) != TS_OK) {
        reader->problem = "out of memory";
    }
    if (!reader->problem) {
        reader->ends[reader->fields++] = reader->text.len;
    }
}

static void on_record(int end, void *data)
{
    (void)end;
    struct ts_csv_reader *reader = data;
    reader->is_record = true;
}

enum ts_err ts_csv_reader_init(
    struct ts_csv_reader *reader, const char *path, char delimiter, struct ts_error *err)
{
    reader->is_stdin = ts_str_is(path, "-");
    ts_str_copy(reader->name, sizeof reader->name, reader->is_stdin ? "standard input" : path);
    reader->delimiter = delimiter;
    reader->line = 1;
    ts_buf_init(&reader->text, TS_CSV_RECORD_MAX + PIECE_MAX);
    reader->file = reader->is_stdin ? stdin : fopen(path, "re");
    if (!reader->file) {
        return ts_error_set_errno(err, errno, "%s: cannot open", reader->name);
    }
    if (csv_init(&reader->parser, CSV_STRICT | CSV_STRICT_FINI) != 0) {
        return ts_error_set(err, TS_ERR_INTERNAL, "%s: libcsv cannot start", reader->name);
    }
    reader->is_parser_made = true;
    csv_set_delim(&reader->parser, (unsigned char)delimiter);
    csv_set_blk_size(&reader->parser, PIECE_MAX);
    return TS_OK;
}

void ts_csv_reader_fini(struct ts_csv_reader *reader)
{
    if (reader->file && !reader->is_stdin) {
        fclose(reader->file);
    }
    reader->file = NULL;
    if (reader->is_parser_made) {
        csv_free(&reader->parser);
    }
    reader->is_parser_made = false;
    ts_buf_fini(&reader->text);
    reader->is_end = true;
}

static enum ts_err complain(
    struct ts_csv_reader *reader, size_t line, const char *problem, struct ts_error *err)
{
    return ts_error_set(err, TS_ERR_INVALID, "%s:%zu: %s", reader->name, line, problem);
}

static enum ts_err reader_skip_bom(struct ts_csv_reader *reader, struct ts_error *err)
{
    reader->is_bom_checked = true;
    if (reader->len >= 3 && memcmp(reader->block, "\xef\xbb\xbf", 3) == 0) {
        reader->at = 3;
    } else if (reader->len >= 2 && (memcmp(reader->block, "\xff\xfe", 2) == 0 ||
                                       memcmp(reader->block, "\xfe\xff", 2) == 0)) {
        return complain(reader, 1, "UTF-16; save the file as UTF-8", err);
    }
    return TS_OK;
}

static enum ts_err reader_fill(struct ts_csv_reader *reader, struct ts_error *err)
{
    reader->at = 0;
    reader->len = fread(reader->block, 1, sizeof reader->block, reader->file);
    if (reader->len == 0 && ferror(reader->file)) {
        return ts_error_set_errno(err, errno, "%s:%zu: cannot read", reader->name, reader->line);
    }
    reader->is_end = reader->len == 0;
    return reader->is_bom_checked ? TS_OK : reader_skip_bom(reader, err);
}

// The next piece ends behind a newline, where the block ends, or at PIECE_MAX.
static size_t reader_piece(const struct ts_csv_reader *reader)
{
    size_t max = reader->len - reader->at < PIECE_MAX ? reader->len - reader->at : PIECE_MAX;
    const char *piece = reader->block + reader->at;
    size_t n = 0;
    while (n < max && !is_newline(piece[n])) {
        n++;
    }
    return n < max ? n + 1 : n;
}

// Counts the line that ends with these bytes, if one does. Only the first of them can be the line
// feed of a CRLF whose other half was counted before.
static void reader_count_line(struct ts_csv_reader *reader, const char *bytes, size_t len)
{
    char last = bytes[len - 1];
    bool is_second_half = last == '\n' && len == 1 && reader->is_after_cr;
    if (is_newline(last) && !is_second_half) {
        reader->line++;
    }
    reader->is_after_cr = last == '\r';
}

// What stands before a record is not shown to libcsv, so that a record begins where it begins.
static void reader_skip_blank(struct ts_csv_reader *reader)
{
    while (reader->at < reader->len && reader_is_blank(reader, reader->block[reader->at])) {
        reader_count_line(reader, reader->block + reader->at, 1);
        reader->at++;
    }
}

static enum ts_err reader_feed(struct ts_csv_reader *reader, struct ts_error *err)
{
    size_t n = reader_piece(reader);
    const char *piece = reader->block + reader->at;
    if (reader->record_size == 0) {
        reader->record_line = reader->line;
    }
    reader->record_size += n;
    if (reader->record_size > TS_CSV_RECORD_MAX) {
        return complain(reader, reader->record_line,
            "the record is longer than 1 MiB; is a closing quote missing?", err);
    }
    if (csv_parse(&reader->parser, piece, n, on_field, on_record, reader) != n) {
        if (csv_error(&reader->parser) == CSV_EPARSE) {
            return complain(reader, reader->line,
                "a stray quote: a field that has one must be quoted as a whole, with each "
                "quote inside doubled",
                err);
        }
        return ts_error_set_errno(err, ENOMEM, "%s:%zu", reader->name, reader->line);
    }
    reader_count_line(reader, piece, n);
    reader->at += n;
    return TS_OK;
}

// The last record may lack its newline.
static enum ts_err reader_finish(struct ts_csv_reader *reader, struct ts_error *err)
{
    if (reader->record_size > 0 && csv_fini(&reader->parser, on_field, on_record, reader) != 0) {
        return complain(reader, reader->record_line,
            "a quote that is opened in this record is never closed", err);
    }
    return TS_OK;
}

enum ts_err ts_csv_reader_next(struct ts_csv_reader *reader, bool *is_there, struct ts_error *err)
{
    enum ts_err code = TS_OK;
    ts_buf_clear(&reader->text);
    reader->fields = 0;
    reader->record_size = 0;
    reader->is_record = false;
    while (!code && !reader->is_record && !reader->is_end) {
        if (reader->record_size == 0) {
            reader_skip_blank(reader);
        }
        if (reader->at < reader->len) {
            code = reader_feed(reader, err);
        } else {
            code = reader_fill(reader, err);
            if (!code && reader->is_end) {
                code = reader_finish(reader, err);
            }
        }
    }
    if (!code && reader->problem) {
        code = complain(reader, reader->record_line, reader->problem, err);
    }
    *is_there = !code && reader->is_record;
    return code;
}

const char *ts_csv_reader_field(const struct ts_csv_reader *reader, size_t i, size_t *len)
{
    size_t from = i == 0 ? 0 : reader->ends[i - 1];
    *len = reader->ends[i] - from;
    return ts_buf_text(&reader->text) + from;
}
