// SPDX-License-Identifier: MIT
// All fixed SQL in one place: the schema and the statement table.
// A widget's JSON is a generated column, so it is built once per write and never out of step. With
// the secret it is not stored a second time: a fleet of a million would weigh a third more.
#include "host/sandbox/keys.h"
#include "host/sandbox/store.h"

// What a list item holds. json() turns 'true' and stored text into JSON values.
#define ITEM_MEMBERS                                                                               \
    "'name', name, 'mode', mode, 'domains', json(domains), 'region', region,"                      \
    " 'clearance_level', clearance_level,"                                                         \
    " 'bot_fight_mode', json(iif(bot_fight_mode, 'true', 'false')),"                               \
    " 'ephemeral_id', json(iif(ephemeral_id, 'true', 'false')),"                                   \
    " 'offlabel', json(iif(offlabel, 'true', 'false')),"                                           \
    " 'created_on', created_on, 'modified_on', modified_on,"                                       \
    " 'deployed_via', deployed_via, 'last_modified_via', last_modified_via"

// Texts of the times are kept beside the numbers because trimmed fractions do not sort as text.
static const char schema[] =
    "CREATE TABLE widget ("
    " sitekey TEXT NOT NULL UNIQUE,"
    " account TEXT NOT NULL,"
    " secret TEXT NOT NULL UNIQUE,"
    " old_secret TEXT,"
    " old_until INTEGER,"
    " name TEXT NOT NULL,"
    " mode TEXT NOT NULL,"
    " domains TEXT NOT NULL,"
    " region TEXT NOT NULL,"
    " clearance_level TEXT NOT NULL,"
    " bot_fight_mode INTEGER NOT NULL,"
    " ephemeral_id INTEGER NOT NULL,"
    " offlabel INTEGER NOT NULL,"
    " created INTEGER NOT NULL,"
    " modified INTEGER NOT NULL,"
    " created_on TEXT NOT NULL,"
    " modified_on TEXT NOT NULL,"
    " deployed_via TEXT NOT NULL DEFAULT 'api',"
    " last_modified_via TEXT NOT NULL DEFAULT 'api',"
    " item TEXT GENERATED ALWAYS AS (json_object('sitekey', sitekey, " ITEM_MEMBERS ")) STORED,"
    " detail TEXT GENERATED ALWAYS AS"
    " ('{\"secret\":' || json_quote(secret) || ',' || substr(item, 2)) VIRTUAL"
    ");"
    "CREATE INDEX widget_by_sitekey ON widget (account, sitekey);"
    "CREATE INDEX widget_by_created ON widget (account, created, sitekey);"
    "CREATE INDEX widget_by_modified ON widget (account, modified, sitekey);"
    "CREATE INDEX widget_by_name ON widget (account, name, sitekey);"
    "CREATE INDEX widget_by_old_secret ON widget (old_secret) WHERE old_secret IS NOT NULL;"
    // The number of widgets, so that a page does not cost a walk over the whole fleet.
    "CREATE TABLE fleet (account TEXT PRIMARY KEY, widgets INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TRIGGER widget_added AFTER INSERT ON widget BEGIN"
    " INSERT INTO fleet VALUES (new.account, 1)"
    " ON CONFLICT (account) DO UPDATE SET widgets = widgets + 1; END;"
    "CREATE TRIGGER widget_removed AFTER DELETE ON widget BEGIN"
    " UPDATE fleet SET widgets = widgets - 1 WHERE account = old.account; END;"
    "CREATE TABLE token ("
    " token TEXT PRIMARY KEY,"
    " sitekey TEXT NOT NULL,"
    " hostname TEXT NOT NULL,"
    " action TEXT NOT NULL,"
    " cdata TEXT NOT NULL,"
    " issued INTEGER NOT NULL,"
    " is_redeemed INTEGER NOT NULL DEFAULT 0,"
    " idempotency_key TEXT"
    ") WITHOUT ROWID;"
    "CREATE INDEX token_by_issued ON token (issued);";

// Microseconds of an RFC 3339 time in UTC, whose fraction may have any length or be absent.
#define TIME_OF(text)                                                                              \
    "CAST(strftime('%s', substr(" text ", 1, 19)) AS INTEGER) * 1000000"                           \
    " + CAST(substr(rtrim(substr(" text ", 21), 'Z') || '000000', 1, 6) AS INTEGER)"

static const char *const statements[TS_SANDBOX_STATEMENT_COUNT] = {
    [TS_SANDBOX_STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [TS_SANDBOX_STATEMENT_COMMIT] = "COMMIT",
    [TS_SANDBOX_STATEMENT_ROLLBACK] = "ROLLBACK",
    [TS_SANDBOX_STATEMENT_DATA_VERSION] = "PRAGMA data_version",
    // Nothing is said of a text that is not JSON; a deep one counts as that.
    [TS_SANDBOX_STATEMENT_JSON_VALID] =
        "SELECT CASE WHEN json_valid(?1) THEN json_type(?1) ELSE '' END",
    [TS_SANDBOX_STATEMENT_JSON_FIELDS] = "SELECT key, type, value FROM json_each(?1)",
    [TS_SANDBOX_STATEMENT_JSON_ITEMS] = "SELECT type, value FROM json_each(?1)",
    [TS_SANDBOX_STATEMENT_JSON_ERROR] =
        "SELECT CASE WHEN ?3 IS NULL THEN json_object('code', ?1, 'message', ?2)"
        " ELSE json_object('code', ?1, 'message', ?2, 'error_chain', json_array(json(?3))) END",
    [TS_SANDBOX_STATEMENT_JSON_TOKEN] =
        "SELECT json_object('token', ?1, 'sitekey', ?2, 'hostname', ?3, 'action', ?4,"
        " 'cdata', ?5, 'challenge_ts', ?6)",
    [TS_SANDBOX_STATEMENT_JSON_REQUEST] =
        "SELECT json_object('seq', ?1, 'time', ?2, 'method', ?3, 'path', ?4, 'op', ?5,"
        " 'status', ?6)",
    [TS_SANDBOX_STATEMENT_JSON_FAULT] =
        "SELECT json_object('op', ?1, 'kind', ?2, 'nth', ?3, 'times', ?4, 'ms', ?5,"
        " 'applied', json(iif(?6, 'true', 'false')), 'retry_after', ?7, 'hits', ?8)",
    [TS_SANDBOX_STATEMENT_JSON_VERDICT] =
        "SELECT json_object('success', json('true'), 'error-codes', json_array(),"
        " 'challenge_ts', ?1, 'hostname', ?2, 'action', ?3, 'cdata', ?4, 'metadata',"
        " CASE WHEN ?5 IS NULL THEN json_object('interactive', json('false'))"
        " ELSE json_object('interactive', json('false'), 'ephemeral_id', ?5) END)",
    [TS_SANDBOX_STATEMENT_WIDGET_COUNT] = "SELECT widgets FROM fleet WHERE account = ?1",
    [TS_SANDBOX_STATEMENT_WIDGET_GET] =
        "SELECT detail FROM widget WHERE sitekey = ?2 AND account = ?1",
    [TS_SANDBOX_STATEMENT_WIDGET_STATE] = "SELECT region, old_secret IS NOT NULL AND old_until > ?3"
                                          " FROM widget WHERE sitekey = ?2 AND account = ?1",
    [TS_SANDBOX_STATEMENT_WIDGET_INSERT] =
        "INSERT INTO widget (account, sitekey, secret, name, mode, domains, region,"
        " clearance_level, bot_fight_mode, ephemeral_id, offlabel, created, modified,"
        " created_on, modified_on) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11,"
        " ?12, ?12, ?13, ?13)",
    // Fields that were left out are bound as NULL and stay what they are.
    [TS_SANDBOX_STATEMENT_WIDGET_UPDATE] =
        "UPDATE widget SET name = ?3, mode = ?4, domains = ?5,"
        " clearance_level = coalesce(?6, clearance_level),"
        " bot_fight_mode = coalesce(?7, bot_fight_mode),"
        " ephemeral_id = coalesce(?8, ephemeral_id), offlabel = coalesce(?9, offlabel),"
        " modified = ?10, modified_on = ?11, last_modified_via = 'api'"
        " WHERE sitekey = ?2 AND account = ?1",
    [TS_SANDBOX_STATEMENT_WIDGET_ROTATE] =
        "UPDATE widget SET old_secret = iif(?4 IS NULL, NULL, secret), old_until = ?4,"
        " secret = ?3, modified = ?5, modified_on = ?6, last_modified_via = 'api'"
        " WHERE sitekey = ?2 AND account = ?1",
    [TS_SANDBOX_STATEMENT_WIDGET_DELETE] = "DELETE FROM widget WHERE sitekey = ?2 AND account = ?1",
    // A row for each domain, and one without for a widget that has none.
    [TS_SANDBOX_STATEMENT_WIDGET_DOMAINS] =
        "SELECT item.value FROM widget LEFT JOIN json_each(widget.domains) AS item"
        " WHERE sitekey = ?1",
    [TS_SANDBOX_STATEMENT_WIDGET_BY_SECRET] =
        "SELECT sitekey, ephemeral_id FROM widget WHERE secret = ?1"
        " UNION ALL SELECT sitekey, ephemeral_id FROM widget"
        " WHERE old_secret = ?1 AND old_until > ?2",
    [TS_SANDBOX_STATEMENT_IMPORT_CHECK] =
        "SELECT coalesce(json_extract(?2, '$.result_info.total_count'), -1),"
        " coalesce(json_extract(?2, '$.result_info.per_page'), -1),"
        " json_array_length(?2, '$.result') WHERE json_type(?2, '$.result') = 'array'",
    [TS_SANDBOX_STATEMENT_IMPORT_REPLACE] =
        "DELETE FROM widget WHERE account = ?1 AND sitekey IN"
        " (SELECT json_extract(value, '$.sitekey') FROM json_each(?2, '$.result'))",
    [TS_SANDBOX_STATEMENT_IMPORT_INSERT] =
        "WITH source AS (SELECT value AS w, json_extract(value, '$.sitekey') AS sitekey,"
        " json_extract(value, '$.created_on') AS created_on,"
        " json_extract(value, '$.modified_on') AS modified_on"
        " FROM json_each(?2, '$.result'))"
        " INSERT INTO widget (account, sitekey, secret, name, mode, domains, region,"
        " clearance_level, bot_fight_mode, ephemeral_id, offlabel, created, modified,"
        " created_on, modified_on, deployed_via, last_modified_via)"
        " SELECT ?1, sitekey, iif(?3, '" TS_SANDBOX_PLACEHOLDER_SECRET
        "' || sitekey, substr(sitekey, 1, 13) ||"
        " substr(hex(randomblob(16)), 1, 35 - length(substr(sitekey, 1, 13)))),"
        " json_extract(w, '$.name'), json_extract(w, '$.mode'),"
        " CASE json_type(w, '$.domains') WHEN 'array' THEN json_extract(w, '$.domains') END,"
        " coalesce(json_extract(w, '$.region'), 'world'),"
        " coalesce(json_extract(w, '$.clearance_level'), 'no_clearance'),"
        " coalesce(json_extract(w, '$.bot_fight_mode'), 0),"
        " coalesce(json_extract(w, '$.ephemeral_id'), 0),"
        " coalesce(json_extract(w, '$.offlabel'), 0),"
        " " TIME_OF("created_on") ", " TIME_OF(
            "modified_on") ", created_on, modified_on,"
                           " coalesce(json_extract(w, '$.deployed_via'), 'unknown'),"
                           " coalesce(json_extract(w, '$.last_modified_via'), 'unknown') FROM "
                           "source",
    [TS_SANDBOX_STATEMENT_IMPORT_NEWEST] = "SELECT max(modified) FROM widget WHERE account = ?1",
    [TS_SANDBOX_STATEMENT_TOKEN_INSERT] =
        "INSERT INTO token (token, sitekey, hostname, action, cdata, issued)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    [TS_SANDBOX_STATEMENT_TOKEN_GET] =
        "SELECT sitekey, hostname, action, cdata, issued, is_redeemed,"
        " idempotency_key IS NOT NULL AND idempotency_key = ?2 FROM token WHERE token = ?1",
    [TS_SANDBOX_STATEMENT_TOKEN_REDEEM] =
        "UPDATE token SET is_redeemed = 1, idempotency_key = ?2 WHERE token = ?1",
    [TS_SANDBOX_STATEMENT_TOKEN_PURGE] = "DELETE FROM token WHERE issued < ?1",
};

const char *ts_sandbox_statement_text(enum ts_sandbox_statement which)
{
    return statements[which];
}

const char *ts_sandbox_schema_text(void)
{
    return schema;
}
