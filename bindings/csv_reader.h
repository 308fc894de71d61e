// SPDX-License-Identifier: MIT
// Reads records out of a CSV file, one at a time and in flat memory. Knows no Lua, so nothing can
// be raised through libcsv. Complaints begin with file and line.
#ifndef TS_BINDINGS_CSV_READER_H
#define TS_BINDINGS_CSV_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <csv.h>

#include "host/base/buf.h"
#include "host/base/error.h"

#define TS_CSV_COLUMNS_MAX 256
#define TS_CSV_FIELD_MAX (64 * 1024)
#define TS_CSV_RECORD_MAX (1024 * 1024)
#define TS_CSV_BLOCK_SIZE 16384
#define TS_CSV_NAME_MAX 256

struct ts_csv_reader {
    char name[TS_CSV_NAME_MAX]; // the file, for complaints
    FILE *file;                 // NULL once closed
    bool is_stdin;              // borrowed then
    bool is_parser_made;
    struct csv_parser parser;
    char delimiter;
    char block[TS_CSV_BLOCK_SIZE]; // what was read and is not parsed yet: block[at .. len)
    size_t at;
    size_t len;
    bool is_bom_checked;
    bool is_end;
    bool is_after_cr;   // a line feed that comes now belongs to the line before
    size_t line;        // of the next byte
    size_t record_line; // where the current record begins
    size_t record_size; // its bytes so far; 0: none has begun
    struct ts_buf text; // its fields, one behind the other
    size_t ends[TS_CSV_COLUMNS_MAX];
    size_t fields;
    bool is_record;      // complete
    const char *problem; // what is wrong with it, found inside libcsv
};

// Opens path, "-" for standard input, which is not closed by fini. The reader is zeroed before, and
// the owner's. SYSTEM, NOMEM.
enum ts_err ts_csv_reader_init(
    struct ts_csv_reader *reader, const char *path, char delimiter, struct ts_error *err);

// Releases. Accepts a zeroed struct and may run twice.
void ts_csv_reader_fini(struct ts_csv_reader *reader);

// Reads the next record that is not a blank line. *is_there is false at the end of the file.
// INVALID, SYSTEM, NOMEM, each with "file:line: " in front.
enum ts_err ts_csv_reader_next(struct ts_csv_reader *reader, bool *is_there, struct ts_error *err);

// Field number i, from 0, of the current record; borrowed until the next one.
const char *ts_csv_reader_field(const struct ts_csv_reader *reader, size_t i, size_t *len);

#endif
