// SPDX-License-Identifier: MIT
// The record of the rate budget: what was sent, who has requests under way, what the server said.
// Plain memory that processes share through a store. No clock, no file, no loop: the caller says
// what time it is and keeps the record.
#ifndef TS_API_RECORD_H
#define TS_API_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/api/answer_log.h"
#include "host/api/limits.h"
#include "host/api/wait.h"
#include "host/base/process.h"

#define TS_RECORD_PROCESSES 32

// What one process has taken and not ended.
struct ts_record_process {
    struct ts_process_id id; // pid 0: nobody
    int64_t out;             // requests in flight, and permissions not used yet
    int64_t seen_us;
};

// The record. All times are CLOCK_MONOTONIC of the boot it names, in microseconds.
struct ts_record {
    uint32_t version;
    uint32_t size;
    uint8_t boot[TS_BOOT_ID_LEN];
    int64_t saved_us; // when it was last changed, on both clocks
    int64_t saved_wall_us;
    int64_t pause_until_us;
    int64_t tat_us; // of the generic cell rate algorithm: when the next start would be due
    int64_t total;  // requests that have ended, ever
    int64_t doubt;  // enum ts_wait_reason: why limits begin in doubt
    struct ts_limits limits;
    struct ts_record_process processes[TS_RECORD_PROCESSES];
    struct ts_answer_log log;
};

// Which boot this is, and what time.
struct ts_record_time {
    uint8_t boot[TS_BOOT_ID_LEN];
    int64_t mono_us;
    int64_t wall_us;
};

// What the user wants, of this process.
struct ts_record_rule {
    int64_t requests; // the rate while the server tells none
    int64_t window_us;
    bool is_given;           // by the user: holds beside what the server tells
    int64_t reserve_percent; // 0 to 90, left to others
};

// What came of requests since the last settlement.
struct ts_record_batch {
    int64_t ended; // requests that count: answered, failed or given up
    struct ts_limits_word word;
};

// Makes the record fit for use now: a new one when is_found is false, one that starts carefully
// when it is of another version or damaged, one moved onto this boot's clock after a reboot.
void ts_record_open(struct ts_record *record, bool is_found, const struct ts_record_time *now,
    const struct ts_record_rule *rule);

// Notes how many permissions a process holds (0: forgets the process).
void ts_record_hold(struct ts_record *record, const struct ts_record_process *self, int64_t now_us);

// Counts what processes that are gone held as spent now; true when there were any. is_gone is asked
// for each but self. Those that cannot be judged from here are gone when they were silent for long.
bool ts_record_reap(struct ts_record *record, const struct ts_process_id *self,
    bool (*is_gone)(const struct ts_process_id *process), int64_t now_us);

// Adds a batch to the log and hears what the server said. The process's own hold is noted before.
void ts_record_settle(struct ts_record *record, const struct ts_record_rule *rule,
    const struct ts_record_batch *batch, int64_t now_us);

// Nothing starts before until_us, and then carefully.
void ts_record_pause(struct ts_record *record, int64_t until_us, int64_t now_us);

// Requests under way, of all processes.
int64_t ts_record_held(const struct ts_record *record);

// Whether the user's rate applies: given, or nothing else is known.
bool ts_record_is_ruled(const struct ts_record *record, const struct ts_record_rule *rule);

#endif
