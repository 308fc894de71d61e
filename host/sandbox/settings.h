// SPDX-License-Identifier: MIT
// The configuration, checked, copied and with its defaults filled in.
// The rest of the room reads only this.
#ifndef TS_SANDBOX_SETTINGS_H
#define TS_SANDBOX_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "host/sandbox/sandbox.h"

// What an account may be entitled to; a set of bits.
enum ts_sandbox_entitlement {
    TS_SANDBOX_ENTITLED_ANY_HOSTNAME = 1,
    TS_SANDBOX_ENTITLED_BOT_FIGHT_MODE = 2,
    TS_SANDBOX_ENTITLED_EPHEMERAL_ID = 4,
    TS_SANDBOX_ENTITLED_OFFLABEL = 8,
};

#define TS_SANDBOX_ACCOUNT_LEN 32

struct ts_sandbox_settings {
    char *account; // NULL: any
    char *token;   // NULL: any
    int64_t rate_requests;
    int64_t rate_window_s;
    int64_t grace_us;
    int64_t latency_ms;
    size_t max_domains;
    int64_t max_widgets; // 0: no limit
    unsigned entitlements;
    const struct ts_clock *clock;
};

// Checks and copies. USAGE with the name of the wrong setting, NOMEM.
enum ts_err ts_sandbox_settings_init(struct ts_sandbox_settings *settings,
    const struct ts_sandbox_config *config, struct ts_error *err);

// Wipes and releases. Accepts a zeroed struct and may run twice.
void ts_sandbox_settings_fini(struct ts_sandbox_settings *settings);

// Whether text is an account id: 32 lower-case hex digits.
bool ts_sandbox_settings_is_account(const char *text);

#endif
