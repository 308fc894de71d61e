// SPDX-License-Identifier: MIT
// A run whose writes go to a copy of the account, and whose journal, in memory, is what the plan is
// made of. The text and the JSON are made in Lua: host/programs/plan.lua.
#include "host/runtime/plan.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <lauxlib.h>

#include "host/base/buf.h"
#include "host/base/clock.h"
#include "host/base/shell.h"
#include "host/base/str.h"
#include "host/base/terminal.h"
#include "host/runtime/diversion.h"
#include "host/runtime/exit_status.h"
#include "host/runtime/parts.h"
#include "host/runtime/plan_file.h"
#include "host/runtime/program.h"
#include "host/runtime/report.h"
#include "host/runtime/run.h"

#define TEXT_MAX ((size_t)1024 * 1024 * 1024)
#define PLAN_ID_MAX 17

struct plan {
    const struct ts_plan_options *options;
    const struct ts_config *given;
    struct ts_parts *parts;
    struct ts_buf json;
    struct ts_buf text;
    lua_Integer steps;
    bool is_colored;
};

static void set_string(lua_State *L, const char *name, const char *text)
{
    if (text && *text) {
        lua_pushstring(L, text);
        lua_setfield(L, -2, name);
    }
}

// Pushes a list of { place =, text =, count = }.
static void push_remarks(lua_State *L, const struct ts_remarks *remarks)
{
    lua_newtable(L);
    for (size_t i = 0; i < remarks->len; i++) {
        lua_createtable(L, 0, 3);
        lua_pushstring(L, remarks->items[i].place);
        lua_setfield(L, -2, "place");
        lua_pushstring(L, remarks->items[i].text);
        lua_setfield(L, -2, "text");
        lua_pushinteger(L, (lua_Integer)remarks->items[i].count);
        lua_setfield(L, -2, "count");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    if (remarks->more > 0) {
        lua_createtable(L, 0, 3);
        lua_pushliteral(L, "");
        lua_setfield(L, -2, "place");
        lua_pushfstring(L, "and %I more", (LUAI_UACINT)remarks->more);
        lua_setfield(L, -2, "text");
        lua_rawseti(L, -2, (lua_Integer)remarks->len + 1);
    }
}

static void push_arguments(lua_State *L, const struct ts_config *config)
{
    lua_createtable(L, config->arg_count, 0);
    for (int i = 0; i < config->arg_count; i++) {
        lua_pushstring(L, config->args[i]);
        lua_rawseti(L, -2, i + 1);
    }
}

static void push_directories(lua_State *L, const struct ts_remarks *directories)
{
    lua_createtable(L, (int)directories->len, 0);
    for (size_t i = 0; i < directories->len; i++) {
        lua_pushstring(L, directories->items[i].text);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

// Pushes what is known of the plan besides its steps.
static void push_context(lua_State *L, struct plan *plan)
{
    struct ts_parts *parts = plan->parts;
    const struct ts_rehearsal *face = &parts->planning.face;
    char id[PLAN_ID_MAX], created[TS_CLOCK_TEXT_MAX], here[TS_SCRIPT_PATH_MAX];
    uint64_t random = 0;
    if (getrandom(&random, sizeof random, 0) != sizeof random) {
        luaL_error(L, "no random bytes");
    }
    snprintf(id, sizeof id, "%016" PRIx64, random);
    ts_clock_format(parts->begun_wall_us, created);
    lua_newtable(L);
    set_string(L, "run", ts_recorder_run(&parts->door.recorder));
    set_string(L, "plan", id);
    set_string(L, "created", created);
    set_string(L, "tshost", TSHOST_VERSION);
    set_string(L, "account", plan->given->account);
    set_string(L, "base_url", ts_record_origin(&parts->record));
    set_string(L, "script", parts->record.script);
    set_string(L, "sha256", parts->record.sha256);
    set_string(L, "directory", getcwd(here, sizeof here));
    set_string(L, "file", plan->options->file);
    lua_pushinteger(L, (lua_Integer)face->widgets);
    lua_setfield(L, -2, "fleet");
    lua_pushboolean(L, plan->is_colored);
    lua_setfield(L, -2, "is_colored");
    push_arguments(L, plan->given);
    lua_setfield(L, -2, "arguments");
    push_directories(L, &face->directories);
    lua_setfield(L, -2, "directories");
    push_remarks(L, &face->remarks);
    lua_setfield(L, -2, "remarks");
}

static int64_t count_of(lua_State *L, const char *name)
{
    lua_getfield(L, -1, name);
    int64_t count = (int64_t)lua_tointeger(L, -1);
    lua_pop(L, 1);
    return count;
}

// Adds to the plan on top which options it takes, and whether those that were given are enough.
static void add_options(lua_State *L, const struct plan *plan)
{
    struct ts_permissions wanted;
    struct ts_needs needs = {0};
    struct ts_error err;
    char options[TS_PERMISSIONS_TEXT_MAX];
    ts_permissions_init(&wanted);
    lua_getfield(L, -1, "counts");
    for (int kind = 0; kind < TS_ALLOW_COUNT; kind++) {
        needs.count[kind] = count_of(L, ts_permission_name((enum ts_permission)kind));
        if (needs.count[kind] > 0) {
            wanted.cap[kind] = needs.count[kind];
        }
    }
    lua_pop(L, 1);
    ts_permissions_options(&wanted, options);
    lua_pushstring(L, options);
    lua_setfield(L, -2, "options");
    ts_permissions_options(&plan->given->permissions, options);
    if (options[0] && ts_permissions_check_all(&plan->given->permissions, &needs, &err)) {
        set_string(L, "shortage", err.message);
    }
}

// Adds an option as it was given; not when it comes from the environment anyway.
static bool option_add(
    char *line, size_t size, const char *name, const char *value, const char *variable)
{
    char word[TS_SCRIPT_PATH_MAX + 32];
    const char *set = variable ? getenv(variable) : NULL;
    if (!value || (set && ts_str_is(set, value))) {
        return true;
    }
    int len = snprintf(word, sizeof word, "--%s=%s", name, value);
    return len > 0 && (size_t)len < sizeof word && ts_shell_add(line, size, word);
}

// Adds the command that applies the plan, unless it could not be copied from a terminal.
static void add_command(lua_State *L, const struct plan *plan)
{
    const struct ts_config *config = plan->given;
    char line[4 * TS_SCRIPT_PATH_MAX] = "tshost apply";
    lua_getfield(L, -1, "options");
    const char *options = lua_tostring(L, -1);
    if (options && *options) {
        size_t len = strlen(line);
        snprintf(line + len, sizeof line - len, " %s", options);
    }
    lua_pop(L, 1);
    if (plan->options->file && (!config->is_sandbox || config->sandbox_db) &&
        option_add(line, sizeof line, "sandbox", config->sandbox_db, NULL) &&
        option_add(line, sizeof line, "account", config->account, "CLOUDFLARE_ACCOUNT_ID") &&
        option_add(line, sizeof line, "base-url", config->base_url, "CLOUDFLARE_BASE_URL") &&
        option_add(line, sizeof line, "token-file", config->token_file, NULL) &&
        ts_shell_add(line, sizeof line, plan->options->file)) {
        set_string(L, "command", line);
    }
}

static void add_seconds(lua_State *L, struct ts_parts *parts)
{
    struct ts_progress_source budgets = ts_budgets_progress(&parts->budgets);
    lua_getfield(L, -1, "requests");
    int64_t us = budgets.estimate_us(budgets.self, (int64_t)lua_tointeger(L, -1));
    lua_pop(L, 1);
    lua_pushnumber(L, (lua_Number)us / 1e6);
    lua_setfield(L, -2, "seconds");
}

// Calls plan[name](the plan at self) and keeps the string that it gives.
static void keep_text(lua_State *L, int program, int self, const char *name, struct ts_buf *out)
{
    size_t len;
    lua_getfield(L, program, name);
    lua_pushvalue(L, self);
    lua_call(L, 1, 1);
    const char *text = lua_tolstring(L, -1, &len);
    if (!text || ts_buf_add(out, text, len)) {
        luaL_error(L, "not enough memory");
    }
    lua_pop(L, 1);
}

static int plan_main(lua_State *L)
{
    struct plan *plan = lua_touserdata(L, 1);
    lua_settop(L, 0);
    lx_push_program(L, "plan"); // 1
    lua_getfield(L, 1, "make");
    push_context(L, plan);
    lua_call(L, 1, 1); // 2
    add_options(L, plan);
    add_command(L, plan);
    add_seconds(L, plan->parts);
    lua_getfield(L, 2, "steps");
    plan->steps = (lua_Integer)lua_rawlen(L, -1);
    lua_pop(L, 1);
    keep_text(L, 1, 2, "json", &plan->json);
    if (!plan->options->is_json) {
        keep_text(L, 1, 2, "text", &plan->text);
    }
    return 0;
}

static int plan_fail(const struct plan *plan, enum ts_exit status, const struct ts_error *err)
{
    ts_report_error(&plan->parts->log, err->message);
    return (int)status;
}

// The script has ended: its operations become the plan, unless it failed.
static int plan_conclude(void *self, struct ts_parts *parts, int status)
{
    struct plan *plan = self;
    struct ts_error err;
    plan->parts = parts;
    if (status != TS_EXIT_DONE && status != TS_EXIT_FINDINGS) {
        ts_report_error(&parts->log, "no plan, because the script did not come to a good end");
        return status;
    }
    if (ts_program_run(parts, plan_main, plan, &err)) {
        return plan_fail(plan, TS_EXIT_SCRIPT, &err);
    }
    if (plan->options->file &&
        ts_plan_file_write(plan->options->file, ts_buf_text(&plan->json), plan->json.len, &err)) {
        return plan_fail(plan, err.code == TS_ERR_USAGE ? TS_EXIT_USAGE : TS_EXIT_SCRIPT, &err);
    }
    return plan->steps > 0 ? TS_EXIT_FINDINGS : status;
}

// Prints what came of it; the status when that cannot be done is that of a run.
static int plan_print(struct plan *plan, struct ts_log *log, int status)
{
    const struct ts_buf *out = plan->options->is_json ? &plan->json : &plan->text;
    if (out->len == 0) {
        return status;
    }
    if (fwrite(out->data, 1, out->len, stdout) != out->len || fflush(stdout)) {
        struct ts_error err;
        ts_error_set_errno(&err, errno, "cannot write to standard output");
        ts_report_error(log, err.message);
        return TS_EXIT_SCRIPT;
    }
    return status;
}

static bool is_colored(enum ts_color color)
{
    const char *no_color = getenv("NO_COLOR");
    bool is_wanted = !(no_color && *no_color) && ts_terminal_is_capable(STDOUT_FILENO);
    return color == TS_COLOR_AUTO ? is_wanted : color == TS_COLOR_ALWAYS;
}

int ts_plan(const struct ts_config *config, const struct ts_plan_options *options)
{
    struct plan plan = {.options = options, .given = config};
    struct ts_diversion diversion = {0};
    struct ts_config planned = *config;
    struct ts_error err;
    struct ts_log log;
    ts_log_init(&log, stderr, config->level);
    ts_buf_init(&plan.json, TEXT_MAX);
    ts_buf_init(&plan.text, TEXT_MAX);
    plan.is_colored = is_colored(config->color);
    ts_permissions_init(&planned.permissions);
    planned.is_plan = true;
    planned.conclude = plan_conclude;
    planned.conclude_self = &plan;
    if ((options->file && ts_plan_file_check(options->file, &err)) ||
        ts_diversion_start(&diversion, &err)) {
        ts_report_error(&log, err.message);
        return TS_EXIT_USAGE;
    }
    int status = ts_run(&planned);
    ts_diversion_end(&diversion);
    if (status == TS_EXIT_DONE || status == TS_EXIT_FINDINGS) {
        status = plan_print(&plan, &log, status);
    }
    ts_buf_fini(&plan.json);
    ts_buf_fini(&plan.text);
    return status;
}
