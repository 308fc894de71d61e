// SPDX-License-Identifier: MIT
// Set-up and teardown in one place, and the making of clients from the configuration.
// Order of teardown: Lua state (the caller), sandbox, loop, secrets.
#include "host/runtime/parts.h"

#include <stdlib.h>
#include <unistd.h>

#include "bindings/interrupt.h"
#include "host/api/client.h"
#include "host/base/clock.h"
#include "host/net/loop.h"
#include "host/net/signals.h"
#include "host/runtime/limits.h"
#include "host/sandbox/sandbox.h"

void ts_config_init(struct ts_config *config)
{
    const char *account = getenv("CLOUDFLARE_ACCOUNT_ID");
    const char *base_url = getenv("CLOUDFLARE_BASE_URL");
    *config = (struct ts_config){
        .account = account && *account ? account : NULL,
        .base_url = base_url && *base_url ? base_url : NULL,
        .concurrency = TS_CONFIG_CONCURRENCY,
        .timeout_us = TS_CONFIG_TIMEOUT_US,
        .max_wait_us = TS_CONFIG_MAX_WAIT_US,
        .fresh_us = TS_CONFIG_FRESH_US,
        .progress_fd = 2,
        .level = TS_LOG_NORMAL,
    };
    ts_permissions_init(&config->permissions);
}

// Where clients lead: to the API, or to a sandbox.
struct place {
    struct ts_sandbox *sandbox; // NULL: the configured base URL
    struct ts_queue *queue;
    struct ts_budgets *budgets;
    struct ts_locks *locks; // NULL: nothing is written there, or only this run can
};

static enum ts_err client_credentials(struct ts_parts *parts, const struct place *place,
    const char *token_file, struct ts_credentials *credentials, struct ts_error *err)
{
    if (place->sandbox) {
        return ts_credentials_load_sandbox(credentials, parts->secrets, err);
    }
    return ts_credentials_load(
        credentials, parts->secrets, token_file ? token_file : parts->config->token_file, err);
}

static enum ts_err client_open(struct ts_parts *parts, const struct place *place,
    const struct ts_client_wish *wish, struct ts_client **out, struct ts_error *err)
{
    struct ts_credentials credentials = {0};
    struct ts_client_config config = {
        .loop = parts->loop,
        .queue = place->queue,
        .base_url = place->sandbox ? ts_sandbox_url(place->sandbox) : parts->config->base_url,
        .timeout_us = parts->config->timeout_us,
    };
    enum ts_err code = TS_OK;
    *out = NULL;
    if (!wish->is_public) {
        config.account = wish->account ? wish->account : parts->config->account;
        if (!config.account && parts->sandbox) {
            config.account = TS_SANDBOX_ACCOUNT;
        }
        if (!config.account) {
            return ts_error_set(
                err, TS_ERR_USAGE, "no account: give --account ID or set CLOUDFLARE_ACCOUNT_ID");
        }
        ts_record_prepare(&parts->record);
        code = client_credentials(parts, place, wish->token_file, &credentials, err);
        if (code) {
            ts_credentials_fini(&credentials);
            return code;
        }
        config.credentials = &credentials;
        // What is wrong with the configuration is said before anybody is waited for.
        code = ts_client_check(&config, err);
        if (!code && place->locks) {
            code = ts_locks_take(place->locks, config.account, config.base_url, err);
        }
        if (!code) {
            code = ts_budgets_find(place->budgets, &credentials,
                config.base_url ? config.base_url : TS_API_BASE_URL, &config.budget, err);
        }
    }
    if (!code) {
        code = ts_client_create(&config, out, err);
    }
    ts_credentials_fini(&credentials); // empty when the client took them
    return code;
}

static struct ts_parts *parts_of(struct ts_host *host)
{
    return (struct ts_parts *)((char *)host - offsetof(struct ts_parts, host));
}

static enum ts_err parts_open_client(struct ts_host *host, const struct ts_client_wish *wish,
    struct ts_client **out, struct ts_error *err)
{
    struct ts_parts *parts = parts_of(host);
    struct place place = {parts->sandbox, &parts->queue, &parts->budgets, &parts->locks};
    return client_open(parts, &place, wish, out, err);
}

// The same in a plan: to the copy, and to the account itself.
static enum ts_err parts_open_copy(struct ts_host *host, const struct ts_client_wish *wish,
    struct ts_client **out, struct ts_error *err)
{
    struct ts_parts *parts = parts_of(host);
    struct place place = {parts->planning.copy, &parts->queue, &parts->planning.budgets, NULL};
    return client_open(parts, &place, wish, out, err);
}

static enum ts_err parts_open_live(struct ts_host *host, const struct ts_client_wish *wish,
    struct ts_client **out, struct ts_error *err)
{
    struct ts_parts *parts = parts_of(host);
    struct place place = {parts->sandbox, &parts->planning.live, &parts->budgets, NULL};
    return client_open(parts, &place, wish, out, err);
}

static enum ts_err parts_begin(
    struct ts_host *host, const struct ts_purpose *purpose, struct ts_error *err)
{
    return ts_record_begin(&parts_of(host)->record, purpose, err);
}

static const char *parts_account(struct ts_host *host)
{
    return ts_record_account(&parts_of(host)->record);
}

static const char *parts_origin(struct ts_host *host)
{
    return ts_record_origin(&parts_of(host)->record);
}

static void budgets_config(struct ts_parts *parts)
{
    const struct ts_config *config = parts->config;
    parts->budgets.is_private = config->is_sandbox;
    parts->budgets.directory = &parts->directory;
    parts->budgets.config = (struct ts_budget_config){
        .loop = parts->loop,
        .queue = config->is_plan ? &parts->planning.live : &parts->queue,
        .log = &parts->log,
        .rate = {config->rate_requests, config->rate_window_us, config->rate_requests > 0},
        .reserve_percent = config->reserve_percent,
    };
}

static enum ts_err sandbox_start(struct ts_parts *parts, struct ts_error *err)
{
    const char *db = parts->config->sandbox_db;
    if (!parts->config->is_sandbox) {
        return TS_OK;
    }
    if (parts->config->is_plan && db && access(db, F_OK) != 0) { // a plan makes none
        return ts_error_set(err, TS_ERR_USAGE, "%s: no such sandbox file", db);
    }
    struct ts_sandbox_config sandbox = {
        .db = db,
        .grace_s = -1,
        .entitle = "any-hostname,bot_fight_mode,ephemeral_id,offlabel",
    };
    return ts_sandbox_start(&sandbox, &parts->sandbox, err);
}

// Processes that were started together must not come back together.
static uint64_t retry_seed(void)
{
    return (uint64_t)ts_clock_wall(ts_clock_system()) * 65537 + (uint64_t)getpid();
}

// One request at a time to the copy: it answers at once, and the order of what the script does is
// then the same in each plan of it.
static enum ts_err planning_start(
    struct ts_parts *parts, const struct ts_retry_policy *retry, struct ts_error *err)
{
    const struct ts_config *config = parts->config;
    struct ts_planning *planning = &parts->planning;
    if (!config->is_plan) {
        return TS_OK;
    }
    enum ts_err code = ts_planning_init(planning, (size_t)config->concurrency, err);
    if (code) {
        return code;
    }
    ts_outage_init(&planning->live.outage, retry, &parts->log, retry_seed());
    planning->face.open_live = parts_open_live;
    parts->door.is_rehearsal = true;
    ts_permissions_grant_all(&parts->door.permissions);
    ts_limits_lift_files();
    planning->budgets.config =
        (struct ts_budget_config){.loop = parts->loop, .queue = &parts->queue};
    parts->queue.limit = 1;
    return TS_OK;
}

enum ts_err ts_parts_init(
    struct ts_parts *parts, const struct ts_config *config, struct ts_error *err)
{
    *parts = (struct ts_parts){
        .config = config,
        .begun_us = ts_clock_mono(ts_clock_system()),
        .begun_wall_us = ts_clock_wall(ts_clock_system()),
    };
    struct ts_progress_source budget = ts_budgets_progress(&parts->budgets);
    ts_display_init(&parts->display, &parts->log, config, &budget);
    ts_door_init(&parts->door);
    parts->door.permissions = config->permissions;
    parts->door.permissions.is_read_only |= config->is_dry_run;
    parts->door.ledger.once = parts->queue.outage.reason;
    ts_queue_init(&parts->queue, (size_t)config->concurrency);
    ts_record_start(&parts->record, parts);
    struct ts_retry_policy retry = ts_retry_policy_of(config->max_wait_us);
    ts_outage_init(&parts->queue.outage, &retry, &parts->log, retry_seed());
    ts_sched_init(&parts->sched, &parts->host);
    ts_locks_init(&parts->locks, parts);
    struct ts_loop_config loop = {
        .max_connections = (size_t)config->concurrency,
        .user_agent = "tshost/" TSHOST_VERSION,
        .ca_file = config->ca_file,
    };
    enum ts_err code = ts_limits_set(config->concurrency, config->is_sandbox, err);
    if (!code) {
        code = ts_secret_pool_create(&parts->secrets, err);
    }
    if (!code) {
        ts_secret_pool_defer(parts->secrets); // the scheduler seals it
        code = ts_loop_create(&loop, &parts->loop, err);
    }
    budgets_config(parts);
    if (!code) {
        code = sandbox_start(parts, err);
    }
    if (!code) {
        code = planning_start(parts, &retry, err);
    }
    if (!code) {
        code = ts_signals_start(parts->loop, ts_interrupt_poke, &parts->sched, err);
    }
    ts_signals_leave_by(ts_display_abandon, &parts->display);
    if (!code && config->deadline_us > 0) {
        code = ts_signals_arm(config->deadline_us, err);
    }
    if (code) {
        ts_parts_fini(parts);
        return code;
    }
    parts->host = (struct ts_host){
        .loop = parts->loop,
        .queue = &parts->queue,
        .door = &parts->door,
        .sched = &parts->sched,
        .secrets = parts->secrets,
        .log = &parts->log,
        .progress = &parts->display.progress,
        .timeout_us = config->timeout_us,
        .fresh_us = config->fresh_us,
        .open_client = config->is_plan ? parts_open_copy : parts_open_client,
        .replay = config->of ? &parts->replay : NULL,
        .begin = parts_begin,
        .account = parts_account,
        .origin = parts_origin,
        .rehearsal = config->is_plan ? &parts->planning.face : NULL,
        .exit_request = -1,
    };
    return TS_OK;
}

void ts_parts_fini(struct ts_parts *parts)
{
    ts_signals_cancel();
    ts_planning_fini(&parts->planning);
    ts_buf_fini(&parts->replay.verdicts);
    ts_sandbox_stop(parts->sandbox);
    parts->sandbox = NULL;
    ts_budgets_fini(&parts->budgets);
    ts_outage_fini(&parts->queue.outage);
    ts_recorder_rest(&parts->door.recorder); // the loop is what it wakes
    ts_loop_destroy(parts->loop);
    parts->loop = NULL;
    ts_locks_fini(&parts->locks); // nothing of this run is under way any more
    ts_secret_pool_destroy(parts->secrets);
    parts->secrets = NULL;
    ts_door_fini(&parts->door);
    ts_display_fini(&parts->display);
}
