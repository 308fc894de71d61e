// SPDX-License-Identifier: MIT
// The policy of the rate budget as arithmetic on a plain record: when may how many requests start?
// No clock, no file, no loop: the caller says what time it is and keeps the record.
//
// What it rests on: the log counts a request from the moment its answer came, so that it leaves the
// log never before it leaves the server's; what is in flight counts as spent; the server's
// `Ratelimit` is believed when it says less, minus what may not be in it yet, minus a reserve.
#ifndef TS_API_GOVERNOR_H
#define TS_API_GOVERNOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/api/answer_log.h"
#include "host/api/limit.h"
#include "host/base/process.h"

#define TS_GOVERNOR_PROCESSES 32

// What one process has taken and not ended.
struct ts_governor_process {
    struct ts_process_id id; // pid 0: nobody
    int64_t out;             // requests in flight, and permissions not used yet
    int64_t seen_us;
};

// The record. All times are CLOCK_MONOTONIC of the boot it names, in microseconds.
struct ts_governor {
    uint32_t version;
    uint32_t size;
    uint8_t boot[TS_BOOT_ID_LEN];
    int64_t saved_us; // when it was last changed, on both clocks
    int64_t saved_wall_us;
    int64_t pause_until_us;
    int64_t tat_us; // of the generic cell rate algorithm: when the next start would be due
    int64_t total;  // requests that have ended, ever
    struct ts_limits limits;
    struct ts_governor_process processes[TS_GOVERNOR_PROCESSES];
    struct ts_answer_log log;
};

// Which boot this is, and what time.
struct ts_governor_time {
    uint8_t boot[TS_BOOT_ID_LEN];
    int64_t mono_us;
    int64_t wall_us;
};

// What the user wants, of this process.
struct ts_governor_rule {
    int64_t requests; // the rate while the server tells none
    int64_t window_us;
    bool is_given;           // by the user: holds beside what the server tells
    int64_t reserve_percent; // 0 to 90, left to others
};

// What came of requests since the last settlement.
struct ts_governor_batch {
    int64_t ended; // requests that count: answered, failed or given up
    struct ts_limits_word word;
};

struct ts_governor_view {
    int64_t requests; // the limit that allows the least on average
    int64_t window_us;
    int64_t reserve;
    int64_t others;    // what somebody else uses in a window, as far as is known
    int64_t left;      // could start now but for the pace
    int64_t spent;     // counts in the window, in flight included
    int64_t in_flight; // of all processes
    int64_t paused_us;
    int64_t wait_us; // until one may start
    bool is_heard;
};

// Makes the record fit for use now: a new one when is_found is false, one that starts carefully
// when it is of another version or damaged, one moved onto this boot's clock after a reboot.
void ts_governor_open(struct ts_governor *record, bool is_found, const struct ts_governor_time *now,
    const struct ts_governor_rule *rule);

// Notes how many permissions a process holds (0: forgets the process).
void ts_governor_hold(
    struct ts_governor *record, const struct ts_governor_process *self, int64_t now_us);

// Counts what processes that are gone held as spent now; true when there were any. is_gone is asked
// for each but self. Those that cannot be judged from here are gone when they were silent for long.
bool ts_governor_reap(struct ts_governor *record, const struct ts_process_id *self,
    bool (*is_gone)(const struct ts_process_id *process), int64_t now_us);

// Adds a batch to the log and hears what the server said. The process's own hold is noted before.
void ts_governor_settle(struct ts_governor *record, const struct ts_governor_rule *rule,
    const struct ts_governor_batch *batch, int64_t now_us);

// How many requests may start now. About as many as are wanted, or more, granted ahead, where the
// limit is so far away that asking each time is not worth it. 0: none, and *retry_us says when to
// ask again at the latest. What is granted must be noted with ts_governor_hold.
int64_t ts_governor_take(struct ts_governor *record, const struct ts_governor_rule *rule,
    int64_t wanted, int64_t now_us, int64_t *retry_us);

// Nothing starts before until_us, and then carefully.
void ts_governor_pause(struct ts_governor *record, int64_t until_us, int64_t now_us);

// The window of the limit that counts, for a pause of unknown length.
int64_t ts_governor_window(const struct ts_governor *record, const struct ts_governor_rule *rule);

// Looks, and changes nothing.
void ts_governor_look(const struct ts_governor *record, const struct ts_governor_rule *rule,
    int64_t now_us, struct ts_governor_view *view);

// How long so many requests take from now when nobody else sends any.
int64_t ts_governor_estimate(const struct ts_governor *record, const struct ts_governor_rule *rule,
    int64_t requests, int64_t now_us);

#endif
