// SPDX-License-Identifier: MIT
// Where budgets and the store meet: api knows no store, state knows no budget.
#include "host/runtime/budgets.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/api/notice.h"
#include "host/base/digest.h"
#include "host/base/log.h"
#include "host/base/str.h"
#include "host/state/store.h"

#define STORE_NAME "rate.db"
#define KEY_MAX 256
#define WAIT_SHOWN_US 1000000

struct ts_budgets_item {
    struct ts_budgets_item *next;
    struct ts_budget *budget;
    char key[KEY_MAX];
};

static enum ts_err store_update(void *self, const char *key, void *record, size_t size,
    ts_budget_update_fn fn, void *owner, struct ts_error *err)
{
    return ts_store_update(self, key, record, size, fn, owner, err);
}

static void store_open(struct ts_budgets *budgets)
{
    const char *directory;
    struct ts_error err;
    budgets->is_open = true;
    enum ts_err code = ts_directory_find(budgets->directory, &directory, &err);
    if (!code) {
        code = ts_store_open(directory, STORE_NAME, &budgets->store, &err);
    }
    if (code) {
        ts_notice_private(budgets->config.log, &err);
        return;
    }
    snprintf(budgets->place, sizeof budgets->place, "%s/%s", directory, STORE_NAME);
    budgets->face = (struct ts_budget_store){
        .update = store_update, .self = budgets->store, .place = budgets->place};
    budgets->config.store = &budgets->face;
}

// "https://api.cloudflare.com 0123...": a token's digest tells nobody what it is.
static void key_make(
    const struct ts_credentials *credentials, const char *base_url, char key[KEY_MAX])
{
    const char *host = strstr(base_url, "://");
    size_t len = host ? (size_t)(host - base_url) + 3 : 0;
    len += strcspn(base_url + len, "/");
    char digest[TS_DIGEST_MAX];
    ts_credentials_digest(credentials, digest);
    snprintf(
        key, KEY_MAX, "%.*s %s", (int)(len < KEY_MAX / 2 ? len : KEY_MAX / 2), base_url, digest);
}

enum ts_err ts_budgets_find(struct ts_budgets *budgets, const struct ts_credentials *credentials,
    const char *base_url, struct ts_budget **out, struct ts_error *err)
{
    char key[KEY_MAX];
    *out = NULL;
    key_make(credentials, base_url, key);
    for (struct ts_budgets_item *item = budgets->first; item; item = item->next) {
        if (ts_str_is(item->key, key)) {
            *out = item->budget;
            return TS_OK;
        }
    }
    if (!budgets->is_private && !budgets->is_open) {
        store_open(budgets);
    }
    struct ts_budgets_item *item = calloc(1, sizeof *item);
    if (!item) {
        return ts_error_set(err, TS_ERR_NOMEM, "out of memory");
    }
    memcpy(item->key, key, sizeof key);
    struct ts_budget_config config = budgets->config;
    config.key = key;
    enum ts_err code = ts_budget_create(&config, &item->budget, err);
    if (code) {
        free(item);
        return code;
    }
    item->next = budgets->first;
    budgets->first = item;
    *out = item->budget;
    return TS_OK;
}

static struct ts_budget *most_used(struct ts_budgets *budgets, struct ts_budget_view *view)
{
    struct ts_budget *most = NULL;
    for (struct ts_budgets_item *item = budgets->first; item; item = item->next) {
        struct ts_budget_view seen;
        ts_budget_look(item->budget, &seen);
        if (!most || seen.requests > view->requests) {
            most = item->budget;
            *view = seen;
        }
    }
    return most;
}

// Shorter waits, as between the first requests, need no words.
static bool progress_look(void *self, struct ts_progress_budget *out)
{
    struct ts_budget_view view;
    if (!most_used(self, &view)) {
        return false;
    }
    bool is_shown =
        view.wait.until_us >= WAIT_SHOWN_US && ts_wait_is_real(view.wait.reason, view.held_us);
    *out = (struct ts_progress_budget){
        .left = view.left,
        .requests = view.requests,
        .wait_us = is_shown ? view.wait.until_us : 0,
        .waiting = is_shown ? ts_wait_words(view.wait.reason) : NULL,
        .reason = is_shown ? ts_wait_name(view.wait.reason) : NULL,
    };
    return true;
}

static int64_t progress_estimate(void *self, int64_t requests)
{
    struct ts_budget_view view;
    struct ts_budget *budget = most_used(self, &view);
    return budget ? ts_budget_estimate_us(budget, requests) : 0;
}

struct ts_progress_source ts_budgets_progress(struct ts_budgets *budgets)
{
    return (struct ts_progress_source){
        .look = progress_look, .estimate_us = progress_estimate, .self = budgets};
}

int64_t ts_budgets_waited_us(struct ts_budgets *budgets)
{
    struct ts_budget_view view;
    return most_used(budgets, &view) ? view.waited_us : 0;
}

void ts_budgets_fini(struct ts_budgets *budgets)
{
    while (budgets->first) {
        struct ts_budgets_item *item = budgets->first;
        budgets->first = item->next;
        ts_budget_destroy(item->budget);
        free(item);
    }
    ts_store_close(budgets->store);
    *budgets = (struct ts_budgets){0};
}
