// SPDX-License-Identifier: MIT
// The key of secrets' fingerprints: random, the same for all runs that share the state directory,
// and in a file of its own, so that a journal that is handed on says nothing of secrets.
#ifndef TS_STATE_KEY_H
#define TS_STATE_KEY_H

#include "host/base/error.h"

#define TS_STATE_KEY_SIZE 32

// Reads the key, and makes it first when there is none yet; of processes that do so at once all get
// the same. The caller wipes it. SYSTEM, also when what is there is no key.
enum ts_err ts_state_key(
    const char *directory, unsigned char key[TS_STATE_KEY_SIZE], struct ts_error *err);

#endif
