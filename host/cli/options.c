// SPDX-License-Identifier: MIT
// The option rows behind getopt_long, and its mistakes in words.
// A value that may be a secret has no option: secrets never stand in argv.
#include "host/cli/options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/base/str.h"
#include "host/base/suggest.h"
#include "host/cli/given.h"

#define OPTIONS_MAX 48

enum { LEFT = 30, WIDTH = 79 }; // columns of the help text

static size_t rows_count(const struct ts_option *rows)
{
    size_t count = 0;
    while (rows[count].name && count < OPTIONS_MAX) {
        count++;
    }
    return count;
}

static enum ts_err complain(
    const struct ts_option *rows, int code, char **argv, struct ts_error *err)
{
    const char *word = argv[optind - 1];
    if (code == ':') {
        return ts_error_set(err, TS_ERR_USAGE, "%s needs a value", word);
    }
    if (optopt && !ts_str_has_prefix(word, "--")) {
        return ts_error_set(
            err, TS_ERR_USAGE, "unknown option -%c; tshost --help lists them", optopt);
    }
    char name[64], hint[TS_SUGGEST_MAX];
    ts_str_copy(name, sizeof name, word + strspn(word, "-"));
    name[strcspn(name, "=")] = '\0';
    const char *names[OPTIONS_MAX + 1];
    size_t count = 0, rows_len = rows_count(rows);
    for (size_t i = 0; i < rows_len; i++) {
        if (rows[i].kind == TS_OPTION_HEADING) {
            continue;
        }
        if (ts_str_is(rows[i].name, name)) {
            return ts_error_set(err, TS_ERR_USAGE, "--%s takes no value", name);
        }
        names[count++] = rows[i].name;
    }
    names[count] = NULL;
    ts_suggest(name, names, hint);
    return ts_error_set(
        err, TS_ERR_USAGE, "unknown option --%s%s; tshost --help lists them", name, hint);
}

// order: "+" stops at the first operand, "" moves operands behind the options.
static enum ts_err options_scan(const char *order, const struct ts_option *rows, int argc,
    char **argv, void *settings, struct ts_given *given, int *operands, struct ts_error *err)
{
    struct option longs[OPTIONS_MAX + 1] = {{0}};
    const struct ts_option *options[OPTIONS_MAX]; // that the longs stand for
    char shorts[2 * OPTIONS_MAX + 3] = {0};
    size_t longs_len = 0, count = rows_count(rows);
    size_t len = (size_t)snprintf(shorts, sizeof shorts, "%s:", order); // tell missing values apart
    for (size_t i = 0; i < count; i++) {
        static const int kinds[] = {no_argument, required_argument, optional_argument};
        if (rows[i].kind == TS_OPTION_HEADING) {
            continue;
        }
        options[longs_len] = &rows[i];
        longs[longs_len++] =
            (struct option){.name = rows[i].name, .has_arg = kinds[rows[i].kind], .val = 256};
        if (rows[i].letter) {
            shorts[len++] = rows[i].letter;
            if (rows[i].kind == TS_OPTION_VALUE) {
                shorts[len++] = ':';
            }
        }
    }
    opterr = 0;
    optind = 0; // a fresh scan, GNU style
    for (int code, index; (code = getopt_long(argc, argv, shorts, longs, &index)) != -1;) {
        const struct ts_option *row = code == 256 ? options[index] : NULL;
        for (size_t i = 0; i < count && !row; i++) {
            row = code == rows[i].letter ? &rows[i] : NULL;
        }
        if (!row) {
            return complain(rows, code, argv, err);
        }
        // getopt_long takes unique beginnings; an abbreviation in a cron line would break when a
        // new option makes it ambiguous.
        if (code == 256 &&
            !ts_str_has_prefix(argv[optind - 1 - (optarg == argv[optind - 1])] + 2, row->name)) {
            return ts_error_set(err, TS_ERR_USAGE, "write --%s in full", row->name);
        }
        enum ts_err failed = row->apply(settings, optarg, err);
        if (failed) {
            return failed;
        }
        if (given) {
            ts_given_add_option(given, row, optarg);
        }
    }
    *operands = optind;
    return TS_OK;
}

enum ts_err ts_options_parse(const struct ts_option *rows, int argc, char **argv, void *settings,
    struct ts_given *given, int *operands, struct ts_error *err)
{
    return options_scan("+", rows, argc, argv, settings, given, operands, err);
}

enum ts_err ts_options_parse_mixed(const struct ts_option *rows, int argc, char **argv,
    void *settings, struct ts_given *given, int *operands, struct ts_error *err)
{
    return options_scan("", rows, argc, argv, settings, given, operands, err);
}

// Prints the text from column LEFT + 3 on, and what would pass column WIDTH on lines of its own.
static void text_print(const char *text)
{
    size_t room = WIDTH - (LEFT + 3);
    while (strlen(text) > room) {
        size_t len = room;
        while (len > 0 && text[len] != ' ') {
            len--;
        }
        if (len == 0) {
            break;
        }
        printf("%.*s\n%*s", (int)len, text, LEFT + 3, "");
        text += len + 1;
    }
    printf("%s\n", text);
}

void ts_options_print(const struct ts_option *rows)
{
    for (const struct ts_option *first = rows; rows->name; rows++) {
        char left[80];
        if (rows->kind == TS_OPTION_HEADING) {
            printf("%s%s:\n", rows == first ? "" : "\n", rows->name);
            continue;
        }
        snprintf(left, sizeof left, "%s%c%s--%s%s%s%s", rows->letter ? "-" : " ",
            rows->letter ? rows->letter : ' ', rows->letter ? ", " : "  ", rows->name,
            rows->kind == TS_OPTION_OPTIONAL ? "[="
            : rows->metavar                  ? " "
                                             : "",
            rows->metavar ? rows->metavar : "", rows->kind == TS_OPTION_OPTIONAL ? "]" : "");
        printf("  %-*s ", LEFT, left);
        text_print(rows->help);
    }
}

enum ts_err ts_option_int(const char *name, const char *value, long long min, long long max,
    long long *out, struct ts_error *err)
{
    int64_t number;
    if (!ts_str_to_int(value, &number) || number < min || number > max) {
        return ts_error_set(err, TS_ERR_USAGE,
            "--%s %.40s: a whole number from %lld to %lld expected", name, value, min, max);
    }
    *out = number;
    return TS_OK;
}

enum ts_err ts_option_seconds(
    const char *name, const char *value, double min, long long *out_us, struct ts_error *err)
{
    char *end;
    double seconds = strtod(value, &end);
    if (end == value || *end || !(seconds >= min) || !(seconds <= 86400)) {
        return ts_error_set(err, TS_ERR_USAGE,
            "--%s %.40s: seconds expected, a number from %g to 86400", name, value, min);
    }
    *out_us = (long long)(seconds * 1e6 + 0.5);
    return TS_OK;
}
