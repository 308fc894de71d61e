// SPDX-License-Identifier: MIT
// Journals that other versions of tshost left. A fixture is the file as that version made it and
// never changes: what was noted then is read today, to the letter.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "host/state/journal_read.h"
#include "host/state/journal_schema.h"
#include "tests/unit/state/journal_bed.h"

static const char version_1[] =
    "PRAGMA page_size = 4096; PRAGMA journal_mode = WAL; BEGIN;"
    "CREATE TABLE format (version INTEGER PRIMARY KEY, made_by TEXT NOT NULL) STRICT;"
    "CREATE TABLE run ("
    " number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, command TEXT NOT NULL, of TEXT,"
    " script TEXT, sha256 TEXT, arguments TEXT, directory TEXT, options TEXT, account TEXT,"
    " base_url TEXT, host TEXT, user TEXT, version TEXT, plan_id TEXT, pid INTEGER NOT NULL,"
    " process_start INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER, exit INTEGER,"
    " status TEXT, summary TEXT, plan TEXT) STRICT;"
    "CREATE TABLE plan (id TEXT PRIMARY KEY, run TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX run_of ON run (of) WHERE of IS NOT NULL;"
    "CREATE TABLE operation ("
    " number INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES run ON DELETE CASCADE,"
    " started INTEGER NOT NULL, step INTEGER, op TEXT NOT NULL, account TEXT, sitekey TEXT,"
    " name TEXT, place TEXT, before_mark TEXT, body TEXT, before TEXT) STRICT;"
    "CREATE INDEX operation_run ON operation (run);"
    "CREATE TABLE outcome ("
    " number INTEGER PRIMARY KEY REFERENCES operation ON DELETE CASCADE, state INTEGER NOT NULL,"
    " status INTEGER, attempts INTEGER NOT NULL, duration INTEGER NOT NULL, sitekey TEXT,"
    " ray TEXT, error TEXT, forgiven TEXT, after_mark TEXT, after TEXT) STRICT;"
    "INSERT INTO format VALUES (1, 'tshost 0.1.0');"
    "INSERT INTO run VALUES (1, '20261122-103011-7f3a', 'apply', NULL, 'plan.json', 'ab', '[]',"
    " '/srv/work', '[\"--quiet\"]', 'acc', 'http://127.0.0.1:1', 'host', 'me', '0.1.0', 'p-1', 77,"
    " 5, 1795343411000000, 1795343412000000, 10, 'unsettled', '{}', '[{\"op\":\"update\"}]');"
    "INSERT INTO plan VALUES ('p-1', '20261122-103011-7f3a');"
    "INSERT INTO operation VALUES (1, 1, 1795343411500000, 1, 'update', 'acc', '0xA', 'n', 'a:1',"
    " 'aa', '{\"name\":\"new\"}', '{\"name\":\"old\"}');"
    "INSERT INTO outcome VALUES (1, 3, 500, 2, 2500, NULL, 'ray', 'why', 'so', 'bb',"
    " '{\"name\":\"x\"}');"
    "INSERT INTO operation VALUES (2, 1, 1795343411500000, NULL, 'pipe', NULL, NULL, NULL, NULL,"
    " NULL, NULL, NULL);"
    "PRAGMA application_id = 1953720426; PRAGMA user_version = 1; COMMIT";

static void run_sql(struct journal_bed *bed, const char *text)
{
    char path[128];
    sqlite3 *db = NULL;
    assert_int_equal(sqlite3_open(journal_bed_path(bed, "", path), &db), SQLITE_OK);
    if (sqlite3_exec(db, text, NULL, NULL, NULL)) {
        fail_msg("%s", sqlite3_errmsg(db));
    }
    sqlite3_close(db);
}

static bool text_add(void *owner, const char *json, size_t len)
{
    char *text = owner;
    assert_true(strlen(text) + len < 4000);
    memcpy(text + strlen(text), json, len + 1);
    return true;
}

static void a_journal_of_version_1_is_read(void **state)
{
    struct journal_bed *bed = *state;
    char text[4096] = "", id[TS_RUN_ID_MAX];
    run_sql(bed, version_1);
    journal_bed_open(bed);
    assert_int_equal(ts_journal_find(bed->journal, "7f3a", id, &bed->err), TS_OK);
    assert_int_equal(ts_journal_read_chain(bed->journal, id, text_add, text, &bed->err), TS_OK);
    assert_int_equal(ts_journal_read_plan(bed->journal, id, text_add, text, &bed->err), TS_OK);
    assert_int_equal(
        ts_journal_read_operations(bed->journal, id, text_add, text, &bed->err), TS_OK);
    assert_int_equal(ts_journal_verify(bed->journal, text_add, text, &bed->err), TS_OK);
    assert_string_equal(text,
        "{\"run\":\"20261122-103011-7f3a\",\"command\":\"apply\",\"script\":\"plan.json\","
        "\"sha256\":\"ab\",\"arguments\":[],\"directory\":\"/srv/work\","
        "\"options\":[\"--quiet\"],\"account\":\"acc\",\"base_url\":\"http://127.0.0.1:1\","
        "\"host\":\"host\",\"user\":\"me\",\"pid\":77,\"version\":\"0.1.0\",\"plan_id\":\"p-1\","
        "\"started\":\"2026-11-22T10:30:11.000Z\",\"ended\":\"2026-11-22T10:30:12.000Z\","
        "\"exit\":10,\"status\":\"unsettled\",\"summary\":{},\"done\":0,\"not_applied\":0,"
        "\"in_doubt\":2,\"refused\":0,\"stale\":0}"
        "{\"op\":\"update\"}"
        "{\"operation\":1,\"op\":\"update\",\"account\":\"acc\",\"sitekey\":\"0xA\","
        "\"name\":\"n\",\"place\":\"a:1\",\"body\":{\"name\":\"new\"},"
        "\"before\":{\"name\":\"old\"},\"after\":{\"name\":\"x\"},\"before_mark\":\"aa\","
        "\"after_mark\":\"bb\",\"step\":1,\"state\":\"unknown\",\"error\":\"why\",\"ray\":\"ray\","
        "\"status\":500,\"attempts\":2,\"started\":\"2026-11-22T10:30:11.500Z\","
        "\"duration_ms\":2.5,\"forgiven\":\"so\"}"
        "{\"operation\":2,\"op\":\"pipe\",\"state\":\"intent\","
        "\"started\":\"2026-11-22T10:30:11.500Z\"}");
}

static void a_journal_of_version_1_is_written_on(void **state)
{
    struct journal_bed *bed = *state;
    struct ts_journal_run run = journal_bed_run("apply");
    char id[TS_RUN_ID_MAX];
    run.plan_id = "p-1";
    run_sql(bed, version_1);
    journal_bed_open(bed);
    assert_int_equal(ts_journal_add_run(bed->journal, &run, id, &bed->err), TS_ERR_EXISTS);
    journal_bed_settle(bed, 1, TS_OPERATION_DONE);
    assert_true(journal_bed_add(bed, "20261122-103011-7f3a") > 2);
    journal_bed_commit(bed);
    assert_int_equal(journal_bed_ask(bed, "SELECT attempts FROM outcome WHERE state = 1"), 3);
}

static void a_journal_of_a_newer_version_is_refused(void **state)
{
    struct journal_bed *bed = *state;
    char text[160];
    journal_bed_open(bed);
    ts_journal_close(bed->journal);
    snprintf(text, sizeof text,
        "INSERT INTO format VALUES (%d, 'tshost 99.1'); PRAGMA user_version = %d",
        ts_journal_kind.version + 1, ts_journal_kind.version + 1);
    run_sql(bed, text);
    assert_int_equal(ts_journal_open(bed->directory, &bed->journal, &bed->err), TS_ERR_USAGE);
    assert_non_null(strstr(
        bed->err.message, "journal.db was made by tshost 99.1; use that version or a later one"));
    assert_null(bed->journal);
}

static void what_is_no_journal_is_refused(void **state)
{
    struct journal_bed *bed = *state;
    run_sql(bed, "CREATE TABLE t (x)");
    assert_int_equal(ts_journal_open(bed->directory, &bed->journal, &bed->err), TS_ERR_USAGE);
    assert_non_null(strstr(bed->err.message, "is no state file of tshost; move it away"));
}

// The fixtures say what was; this says that the last of them is what is made today.
static void the_last_fixture_is_of_today(void **state)
{
    struct journal_bed *bed = *state;
    static const char query[] =
        "SELECT group_concat(type || name || sql) = (SELECT group_concat(type || name || sql)"
        " FROM other.sqlite_schema WHERE sql IS NOT NULL) FROM sqlite_schema WHERE sql IS NOT NULL";
    char path[128], text[256];
    sqlite3 *db = NULL;
    sqlite3_stmt *stmt = NULL;
    journal_bed_open(bed);
    assert_int_equal(ts_journal_kind.version, 1);
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, version_1, NULL, NULL, NULL), SQLITE_OK);
    snprintf(text, sizeof text, "ATTACH '%s' AS other", journal_bed_path(bed, "", path));
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, query, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    assert_int_equal(sqlite3_column_int(stmt, 0), 1);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    assert_int_equal(journal_bed_ask(bed, "PRAGMA application_id"), 1953720426);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            a_journal_of_version_1_is_read, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            a_journal_of_version_1_is_written_on, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            a_journal_of_a_newer_version_is_refused, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            what_is_no_journal_is_refused, journal_bed_make, journal_bed_drop),
        cmocka_unit_test_setup_teardown(
            the_last_fixture_is_of_today, journal_bed_make, journal_bed_drop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
