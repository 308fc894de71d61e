// SPDX-License-Identifier: MIT
// Parts, state, script, summary, teardown. The script runs as the main task under one lua_pcall.
// Only what a person needs is printed: one line for an error, its traceback with --verbose.
#include "host/runtime/run.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "bindings/embedded.h"
#include "host/api/gate.h"
#include "host/base/buf.h"
#include "host/base/clock.h"
#include "host/base/pool.h"
#include "host/net/signals.h"
#include "host/runtime/exit_status.h"
#include "host/runtime/parts.h"
#include "host/runtime/report.h"
#include "host/runtime/script.h"
#include "host/runtime/state.h"

#define FIGURES_MAX (64 * 1024)

struct run {
    const struct ts_config *config;
    struct ts_parts *parts;
    char path[TS_SCRIPT_PATH_MAX];
    char directory[TS_SCRIPT_PATH_MAX];
    bool has_failed;
    bool is_usage; // the script could not be read or parsed at all
    char said[1024];
    size_t said_entry; // the ledger's number of what was said, 0: none
};

static void *alloc_pooled(void *self, void *block, size_t old_size, size_t new_size)
{
    return ts_pool_resize(self, block, old_size, new_size);
}

// An error outside every protected call: only a bug or the end of memory comes here.
static int on_panic(lua_State *L)
{
    const char *message = lua_tostring(L, -1);
    fprintf(stderr, "tshost: panic: %s\n", message ? message : "unknown error");
    return 0;
}

// Loads a program of ours: a module that returns a function of the arguments.
static const char *load_command(lua_State *L, const char *command)
{
    const char *code = lua_pushfstring(L, "return (require 'tshost.program.%s' (...))", command);
    if (luaL_loadbufferx(L, code, strlen(code), TS_EMBEDDED_PREFIX "command]", "t")) {
        lua_error(L);
    }
    lua_replace(L, -2);
    return command;
}

// Puts the program that resumes a run in the place of its script, which is on top.
static void push_resume(lua_State *L, const struct ts_config *config)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "tshost.program.resume");
    lua_call(L, 1, 1);
    lua_pushstring(L, config->of);
    lua_pushstring(L, config->if_unknown);
    lua_pushvalue(L, -4);
    lua_call(L, 3, 1);
    lua_replace(L, -2);
}

static const char *load(lua_State *L, struct run *run)
{
    const struct ts_config *config = run->config;
    if (config->command) {
        return load_command(L, config->command);
    }
    int status;
    const char *name = run->path;
    if (config->code) {
        name = "=(command line)";
        status = luaL_loadbufferx(L, config->code, strlen(config->code), name, "t");
        name = "-e";
    } else if (strcmp(config->script, "-") == 0) {
        name = "-";
        status = luaL_loadfilex(L, NULL, "t");
    } else {
        status = luaL_loadfilex(L, run->path, "t");
    }
    if (status == LUA_ERRMEM) {
        lua_error(L);
    }
    if (status != LUA_OK) {
        run->is_usage = status == LUA_ERRFILE;
        return NULL;
    }
    ts_record_script(&run->parts->record, name, config->code);
    if (config->of) {
        push_resume(L, config);
    }
    return name;
}

// Whether the text begins with a place, as in "tenants.csv:7: ...".
static bool has_place(const char *text)
{
    const char *colon = strchr(text, ':');
    size_t digits = colon ? strspn(colon + 1, "0123456789") : 0;
    return digits > 0 && colon[1 + digits] == ':';
}

// The script's line in a traceback as "file.lua:12: ", for what Lua's own functions raise without
// one (ipairs, assert, coroutine.yield); "" where error() was told to leave it out.
static void place_find(const char *traceback, char out[LX_PLACE_MAX])
{
    out[0] = 0;
    const char *line = strchr(traceback, '\n');
    if (!line || strncmp(line, "\n\t[C]: in function 'error'", 26) == 0) {
        return;
    }
    for (; line; line = strchr(line + 1, '\n')) {
        const char *end = strstr(line, ": in ");
        if (strncmp(line, "\n\t[", 3) != 0 && line[1] == '\t' && end) {
            snprintf(out, LX_PLACE_MAX, "%.*s: ", (int)(end - line - 2), line + 2);
            return;
        }
    }
}

// Keeps the text of the error value at idx, with a place in front where it has none, and the
// ledger's number of it. traceback may be NULL.
static void keep_error(lua_State *L, struct run *run, int idx, const char *traceback)
{
    int top = lua_gettop(L);
    idx = lua_absindex(L, idx);
    const char *text;
    if (lua_isstring(L, idx) || luaL_getmetafield(L, idx, "__tostring") != LUA_TNIL) {
        text = luaL_tolstring(L, idx, NULL);
    } else {
        text = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, idx));
    }
    char place[LX_PLACE_MAX + 2] = "";
    if (lx_failure_kind(L, idx)) {
        lua_getfield(L, idx, "place");
        const char *at = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
        snprintf(place, sizeof place, "%s%s", at, *at ? ": " : "");
    } else if (traceback && !has_place(text)) {
        place_find(traceback, place);
    }
    run->said_entry = lx_failure_entry(L, idx);
    snprintf(run->said, sizeof run->said, "%s%s", place, text);
    lua_settop(L, top);
}

static bool is_orderly_end(lua_State *L, struct run *run, int idx)
{
    const char *kind = lx_failure_kind(L, idx);
    bool is_asked =
        run->parts->host.exit_request >= 0 || ts_signals_seen() || ts_signals_is_expired();
    is_asked = is_asked || run->parts->queue.outage.is_over || ferror(stdout);
    return is_asked && kind && strcmp(kind, "cancelled") == 0;
}

static int run_protected(lua_State *L)
{
    struct run *run = lua_touserdata(L, 1);
    lua_settop(L, 0);
    luaL_checkstack(L, run->config->arg_count + LUA_MINSTACK, "too many arguments");
    ts_state_open(L, run->directory[0] ? run->directory : NULL);
    const char *name = load(L, run);
    if (!name) {
        run->has_failed = true;
        keep_error(L, run, -1, NULL);
        return 0;
    }
    ts_state_set_args(L, run->config, name);
    for (int i = 0; i < run->config->arg_count; i++) {
        lua_pushstring(L, run->config->args[i]);
    }
    if (ts_sched_run(L, run->config->arg_count)) {
        return 0;
    }
    if (!is_orderly_end(L, run, -2)) {
        run->has_failed = true;
        const char *traceback = lua_tostring(L, -1);
        keep_error(L, run, -2, traceback);
        for (const char *line = traceback; line && *line;) {
            int len = (int)strcspn(line, "\n");
            bool is_indented = line[0] == '\t'; // a log line has no tabs
            ts_log_line(&run->parts->log, TS_LOG_VERBOSE, "%s%.*s", is_indented ? "  " : "",
                len - is_indented, line + is_indented);
            line += len + (line[len] == '\n');
        }
    }
    return 0;
}

static void run_state(struct run *run)
{
    const struct ts_config *config = run->config;
    struct ts_pool pool;
    ts_pool_init(&pool);
    lua_State *L = config->alloc ? lua_newstate(config->alloc, config->alloc_self)
                                 : lua_newstate(alloc_pooled, &pool);
    if (!L) {
        run->has_failed = true;
        snprintf(run->said, sizeof run->said, "not enough memory");
        return;
    }
    lua_atpanic(L, on_panic);
    ts_host_attach(L, &run->parts->host);
    lua_gc(L, LUA_GCGEN, 0, 0);
    lua_pushcfunction(L, run_protected);
    lua_pushlightuserdata(L, run);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) {
        run->has_failed = true;
        const char *text = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "unknown error";
        snprintf(run->said, sizeof run->said, "%s", text);
    }
    // What is given up while the state closes must not let queued calls start.
    ts_queue_set_gate(&run->parts->queue, NULL); // nobody turns the loop for what is still held
    ts_sched_stop(&run->parts->sched);
    lua_close(L);
    ts_pool_fini(&pool);
}

// Output that did not arrive is a failure, however well the rest went.
static void check_output(struct run *run)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return;
    }
    run->has_failed = true;
    if (!run->said[0]) {
        snprintf(run->said, sizeof run->said, "cannot write to standard output: %s",
            errno ? strerror(errno) : "write error");
    }
}

// What was done to the copy of the account is not told, and there is no run to go on with.
static void plan_report(struct ts_parts *parts, struct ts_report *report)
{
    struct ts_ledger *ledger = &parts->door.ledger;
    memset(ledger->done, 0, sizeof ledger->done);
    memset(ledger->delivered, 0, sizeof ledger->delivered);
    ledger->unchanged = 0;
    report->run = "";
    ts_report_summary(report);
}

// Notes in the journal how the run has ended. True when that failed: then it has what was done, but
// not that the run has ended, and how.
static bool run_record_end(struct ts_parts *parts, const struct ts_report *report)
{
    struct ts_buf figures;
    struct ts_error err;
    ts_buf_init(&figures, FIGURES_MAX);
    bool has_figures = !ts_report_effort(report, &figures);
    enum ts_err code = ts_record_end(
        &parts->record, report->status, has_figures ? ts_buf_text(&figures) : NULL, &err);
    ts_buf_fini(&figures);
    // Once it has failed it stays so: then the ledger has that from the write that met it.
    if (code && parts->door.ledger.counts[TS_ENTRY_JOURNAL] == 0) {
        struct ts_facts facts = {.kind = TS_ENTRY_JOURNAL, .message = err.message};
        ts_ledger_add(&parts->door.ledger, &facts);
    }
    return code != TS_OK;
}

// Chooses the exit status and tells how the run ended.
static int run_report(struct run *run)
{
    struct ts_parts *parts = run->parts;
    int signal = parts->sched.is_interrupted ? ts_signals_seen() : 0;
    struct ts_exit_causes causes = {
        .has_failed = run->has_failed,
        .requested = parts->host.exit_request,
        .signal = signal,
        .is_expired = parts->sched.is_expired,
        .is_given_up = parts->queue.outage.is_over,
    };
    int status = run->is_usage ? TS_EXIT_USAGE : ts_exit_choose(&parts->door.ledger, &causes);
    struct ts_report report = {
        .config = run->config,
        .log = &parts->log,
        .door = &parts->door,
        .verdicts = ts_buf_text(&parts->replay.verdicts),
        .said = run->said,
        .said_entry = run->said_entry,
        .reason = parts->queue.outage.reason,
        .status = status,
        .signal = signal,
        .is_expired = parts->sched.is_expired,
        .requests = parts->queue.requests,
        .elapsed_us = ts_clock_mono(ts_clock_system()) - parts->begun_us,
        .waited_us = ts_budgets_waited_us(&parts->budgets),
    };
    if (run_record_end(parts, &report)) {
        report.status = status = ts_exit_choose(&parts->door.ledger, &causes);
    }
    report.run = ts_record_run(&parts->record); // what was only noted is in the journal by now
    if (run->said[0]) {
        ts_report_error(&parts->log, run->said);
    }
    if (!run->config->is_plan) {
        ts_report_summary(&report);
    } else if (status != TS_EXIT_DONE && status != TS_EXIT_FINDINGS) {
        plan_report(parts, &report);
    }
    return status;
}

int ts_run(const struct ts_config *config)
{
    struct ts_parts parts;
    struct ts_error err;
    struct run run = {.config = config, .parts = &parts};
    if (config->script && strcmp(config->script, "-") != 0) {
        if (ts_script_find(config->script, run.path, &err)) {
            return ts_report_failure(config, TS_EXIT_USAGE, err.message);
        }
        ts_script_directory(run.path, run.directory);
    }
    if (ts_parts_init(&parts, config, &err)) {
        return ts_report_failure(config,
            err.code == TS_ERR_CREDENTIALS ? TS_EXIT_CREDENTIALS : TS_EXIT_USAGE, err.message);
    }
    run_state(&run);
    ts_display_end(&parts.display);
    if (config->on_closed) {
        config->on_closed(config->on_closed_self, &parts);
    }
    check_output(&run);
    int status = run_report(&run);
    if (config->conclude) {
        status = config->conclude(config->conclude_self, &parts, status);
    }
    ts_parts_fini(&parts);
    return status;
}
