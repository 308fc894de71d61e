// SPDX-License-Identifier: MIT
// How a lock is named, the waiting for it, and the words for who has it.
#include "host/runtime/locks.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bindings/cancel.h"
#include "bindings/interrupt.h"
#include "host/api/client.h"
#include "host/api/gate.h"
#include "host/base/clock.h"
#include "host/base/digest.h"
#include "host/base/human.h"
#include "host/base/str.h"
#include "host/base/text.h"
#include "host/net/loop.h"
#include "host/net/signals.h"
#include "host/net/xfer.h"
#include "host/runtime/exit_status.h"
#include "host/runtime/parts.h"
#include "host/state/directory.h"

#define PREFIX "lock-"
#define NAME_MAX_LEN (sizeof PREFIX + TS_DIGEST_MAX)
#define TRY_US INT64_C(200000) // between two tries while waiting
#define SHOWN 80               // bytes of a path in messages, the last of it
#define WORDS_MAX 400

struct ts_locks_item {
    struct ts_locks_item *next;
    char name[NAME_MAX_LEN]; // of the file
    struct ts_lock *lock;
    bool is_held;
    int64_t began_us;        // when this run began to wait for it, monotonic; 0: it did not
    struct ts_error refusal; // TS_OK while there is none
};

// The account and where it is.
struct subject {
    char name[NAME_MAX_LEN];
    char words[WORDS_MAX];
};

void ts_locks_init(struct ts_locks *locks, struct ts_parts *parts)
{
    *locks = (struct ts_locks){.parts = parts};
}

static bool is_needed(const struct ts_config *config)
{
    bool is_ephemeral = config->is_sandbox && !config->sandbox_db;
    bool is_reading = config->permissions.is_read_only || config->is_dry_run;
    return !is_reading && !is_ephemeral;
}

// The end of a path says more than its beginning.
static void tail_copy(char out[SHOWN + 1], const char *text)
{
    size_t len = strlen(text);
    bool is_long = len > SHOWN;
    snprintf(out, SHOWN + 1, "%s%s", is_long ? "..." : "", is_long ? text + len - SHOWN + 3 : text);
    ts_text_clean(out, strlen(out));
}

static void subject_name(struct subject *subject, const char *account, const char *place)
{
    char lower[64], digest[TS_DIGEST_MAX];
    ts_str_copy(lower, sizeof lower, account);
    for (char *p = lower; *p; p++) {
        *p = (char)(*p >= 'A' && *p <= 'F' ? *p - 'A' + 'a' : *p);
    }
    const char *parts[] = {lower, place};
    const size_t lens[] = {strlen(lower), strlen(place)};
    ts_digest(parts, lens, 2, digest);
    snprintf(subject->name, sizeof subject->name, PREFIX "%s", digest);
}

// A sandbox listens on another port each time; its file is what stays.
static enum ts_err subject_make(const struct ts_config *config, const char *account,
    const char *base_url, struct subject *out, struct ts_error *err)
{
    char shown[SHOWN + 1], file[PATH_MAX], origin[TS_URL_ORIGIN_MAX];
    if (config->is_sandbox) {
        if (!realpath(config->sandbox_db, file)) {
            return ts_error_set_errno(err, errno, "%s", config->sandbox_db);
        }
        tail_copy(shown, config->sandbox_db);
        snprintf(out->words, WORDS_MAX, "account %s in the sandbox %s", account, shown);
        subject_name(out, account, file);
        return TS_OK;
    }
    bool is_public = !base_url || ts_str_is(base_url, TS_API_BASE_URL);
    enum ts_err code = ts_url_origin(base_url ? base_url : TS_API_BASE_URL, origin, err);
    if (!code) {
        tail_copy(shown, is_public ? "" : origin);
        snprintf(out->words, WORDS_MAX, "account %s%s%s", account, is_public ? "" : " at ", shown);
        subject_name(out, account, origin);
    }
    return code;
}

static struct ts_locks_item *item_make(
    struct ts_locks *locks, const struct subject *subject, struct ts_error *err)
{
    const char *directory;
    struct ts_locks_item *item = calloc(1, sizeof *item);
    if (!item) {
        ts_error_set(err, TS_ERR_NOMEM, "out of memory");
        return NULL;
    }
    memcpy(item->name, subject->name, sizeof item->name);
    if (ts_directory_find(&locks->parts->directory, &directory, err) ||
        ts_lock_open(directory, item->name, &item->lock, err)) {
        free(item);
        return NULL;
    }
    item->next = locks->first;
    locks->first = item;
    return item;
}

// That of the subject, made when it is new; NULL with the error when it cannot be.
static struct ts_locks_item *item_find(
    struct ts_locks *locks, const struct subject *subject, struct ts_error *err)
{
    for (struct ts_locks_item *item = locks->first; item; item = item->next) {
        if (ts_str_is(item->name, subject->name)) {
            return item;
        }
    }
    return item_make(locks, subject, err);
}

// Arguments and code stay out of what is told: they are nobody's business.
static enum ts_err item_try(
    struct ts_locks *locks, struct ts_locks_item *item, struct ts_error *err)
{
    const struct ts_config *config = locks->parts->config;
    const char *what = config->command ? config->command : config->code ? "-e" : config->script;
    char shown[SHOWN + 1];
    struct ts_lock_holder self;
    tail_copy(shown, what ? what : "tshost");
    ts_lock_holder_self(&self, shown, locks->run);
    enum ts_err code = ts_lock_take(item->lock, &self, err);
    item->is_held = !code;
    return code;
}

// "pid 4242, onboard.lua, since 2026-01-02T03:04:05Z (5 min 3 s ago)".
static void holder_words(const struct ts_lock_holder *holder, char out[WORDS_MAX])
{
    char where[TS_LOCK_HOST_MAX + 48] = "", run[TS_LOCK_RUN_MAX + 8] = "";
    char since[TS_CLOCK_TEXT_MAX], ago[TS_HUMAN_MAX];
    if (!holder->is_known) {
        ts_str_copy(out, WORDS_MAX, "it has not said who it is");
        return;
    }
    if (holder->is_far) {
        snprintf(where, sizeof where, " on %s", holder->host);
    } else if (holder->is_gone) {
        snprintf(where, sizeof where, " (ended, but a process that it left behind goes on)");
    }
    if (holder->run[0]) {
        snprintf(run, sizeof run, "run %s, ", holder->run);
    }
    ts_clock_format(holder->since_us / 1000000 * 1000000, since);
    ts_human_duration(ts_clock_wall(ts_clock_system()) - holder->since_us, ago);
    snprintf(out, WORDS_MAX, "pid %u%s, %s%s, since %s (%s ago)", (unsigned)holder->process.pid,
        where, run, holder->what, since, ago);
}

// Tries once more when whoever is named has gone meanwhile.
static enum ts_err item_try_and_look(
    struct ts_locks *locks, struct ts_locks_item *item, char who[WORDS_MAX], struct ts_error *err)
{
    struct ts_lock_holder holder;
    enum ts_err code = item_try(locks, item, err);
    if (code != TS_ERR_LOCKED) {
        return code;
    }
    ts_lock_look(item->lock, &holder);
    holder_words(&holder, who);
    return holder.is_known && !holder.is_gone ? code : item_try(locks, item, err);
}

static bool is_stop_due(const struct ts_parts *parts)
{
    const struct ts_task *task = parts->sched.current;
    return ts_interrupt_is_due(&parts->sched) || (task && ts_cancel_is_due(task));
}

// Turns the loop until then, so that what is in flight goes on and a signal is heard.
static enum ts_err wait_until(struct ts_parts *parts, int64_t until_us, struct ts_error *err)
{
    while (ts_loop_now(parts->loop) < until_us) {
        if (is_stop_due(parts)) {
            return ts_error_set(err, TS_ERR_CANCELLED, "stopped while it waited for another run");
        }
        struct ts_progress *progress = &parts->display.progress;
        ts_progress_tick(progress);
        ts_queue_depart(&parts->queue, false, false); // writes to other accounts go on
        int64_t next_us = ts_progress_next(progress);
        ts_secret_pool_seal(parts->secrets);
        enum ts_err code = ts_loop_turn(parts->loop, next_us < until_us ? next_us : until_us, err);
        if (code) {
            return code;
        }
    }
    return TS_OK;
}

// Waits for as long as --if-locked has it, counted from the first time.
static enum ts_err item_wait(
    struct ts_locks *locks, struct ts_locks_item *item, struct ts_error *err)
{
    struct ts_parts *parts = locks->parts;
    enum ts_err code = TS_ERR_LOCKED;
    int64_t end_us = item->began_us + parts->config->lock_wait_us;
    for (int64_t now = item->began_us; code == TS_ERR_LOCKED && now < end_us;
         now = ts_loop_now(parts->loop)) {
        code = wait_until(parts, now + TRY_US < end_us ? now + TRY_US : end_us, err);
        if (code == TS_ERR_CANCELLED && ts_signals_is_expired() && !ts_signals_seen()) {
            return TS_ERR_LOCKED; // --deadline: that another run was there is why nothing was done
        }
        if (!code) {
            code = item_try(locks, item, err);
        }
    }
    return code;
}

static enum ts_err item_refuse(struct ts_locks *locks, struct ts_locks_item *item,
    const struct subject *subject, const char *who, struct ts_error *err)
{
    struct ts_parts *parts = locks->parts;
    if (parts->config->if_locked == TS_IF_LOCKED_SKIP) {
        ts_log_line(&parts->log, TS_LOG_NORMAL,
            "tshost: skipped, as --if-locked has it: another run has %s: %s", subject->words, who);
        parts->host.exit_request = TS_EXIT_DONE;
        ts_error_set(err, TS_ERR_CANCELLED, "skipped: another run is there");
        item->refusal = *err;
        return err->code;
    }
    char waited[TS_HUMAN_MAX + 16] = "";
    if (item->began_us) {
        char span[TS_HUMAN_MAX];
        ts_human_duration(ts_loop_now(parts->loop) - item->began_us, span);
        snprintf(waited, sizeof waited, ", also after %s", span);
    }
    ts_error_set(err, TS_ERR_LOCKED,
        "another run has %s%s: %s; give --read-only if this one only reads, else "
        "--if-locked wait=10m or --if-locked skip",
        subject->words, waited, who);
    item->refusal = *err;
    return err->code;
}

static enum ts_err item_take(struct ts_locks *locks, struct ts_locks_item *item,
    const struct subject *subject, struct ts_error *err)
{
    struct ts_parts *parts = locks->parts;
    char who[WORDS_MAX];
    enum ts_err code = item_try_and_look(locks, item, who, err);
    if (code == TS_ERR_LOCKED && parts->config->if_locked == TS_IF_LOCKED_WAIT) {
        if (!item->began_us) {
            char span[TS_HUMAN_MAX];
            item->began_us = ts_loop_now(parts->loop);
            ts_human_duration(parts->config->lock_wait_us, span);
            ts_log_line(&parts->log, TS_LOG_NORMAL,
                "tshost: another run has %s: %s; waiting for it, for up to %s", subject->words, who,
                span);
        }
        code = item_wait(locks, item, err);
        if (code == TS_ERR_LOCKED) {
            code = item_try_and_look(locks, item, who, err); // it may be another one by now
        }
    }
    return code == TS_ERR_LOCKED ? item_refuse(locks, item, subject, who, err) : code;
}

enum ts_err ts_locks_take(
    struct ts_locks *locks, const char *account, const char *base_url, struct ts_error *err)
{
    struct subject subject;
    if (!is_needed(locks->parts->config)) {
        return TS_OK;
    }
    enum ts_err code = subject_make(locks->parts->config, account, base_url, &subject, err);
    if (code) {
        return code;
    }
    struct ts_locks_item *item = item_find(locks, &subject, err);
    if (item && item->refusal.code) {
        *err = item->refusal;
        return err->code;
    }
    if (!item) {
        code = err->code;
    } else if (!item->is_held) {
        code = item_take(locks, item, &subject, err);
    }
    if (code == TS_ERR_SYSTEM) { // reading needs nobody kept out
        struct ts_error cause = *err;
        ts_error_set(err, TS_ERR_JOURNAL, "other runs cannot be kept out of %s: %s", subject.words,
            cause.message);
        ts_recorder_refuse(&locks->parts->door.recorder, err);
        code = TS_OK;
    }
    return code;
}

void ts_locks_name_run(struct ts_locks *locks, const char *run)
{
    ts_str_copy(locks->run, sizeof locks->run, run);
    for (struct ts_locks_item *item = locks->first; item; item = item->next) {
        struct ts_lock_holder self = {.is_known = false};
        if (item->is_held) {
            ts_lock_look(item->lock, &self);
        }
        if (self.is_known) {
            ts_str_copy(self.run, sizeof self.run, run);
            ts_lock_tell(item->lock, &self);
        }
    }
}

void ts_locks_fini(struct ts_locks *locks)
{
    while (locks->first) {
        struct ts_locks_item *item = locks->first;
        locks->first = item->next;
        ts_lock_close(item->lock);
        free(item);
    }
    *locks = (struct ts_locks){0};
}
