// SPDX-License-Identifier: MIT
// Which process this is, for records that several processes share: an id that is never used twice
// in one boot, and which boot this is.
#ifndef TS_BASE_PROCESS_H
#define TS_BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

struct ts_process_id {
    uint64_t start; // start time in kernel ticks: process ids are used again, this pair is not
    uint32_t pid;
    uint32_t space; // the pid namespace
};

// This process. Start and space are 0 where /proc does not tell.
void ts_process_self(struct ts_process_id *out);

// Whether a process is surely gone; false when that cannot be told from here.
bool ts_process_is_gone(const struct ts_process_id *process);

// A number that tells a process from all others that had or will have its id on this machine, after
// another boot too; 0 when there is no such process or /proc does not tell.
int64_t ts_process_start(int64_t pid);

// Whether the process of this id that began then is there. A start of 0 fits any.
bool ts_process_is_running(int64_t pid, int64_t start);

// How many processors this process may use, at least 1.
int ts_process_processors(void);

#define TS_BOOT_ID_LEN 16

// Which boot of the machine this is; zeros where /proc does not tell.
void ts_process_boot(uint8_t out[TS_BOOT_ID_LEN]);

#endif
