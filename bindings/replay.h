// SPDX-License-Identifier: MIT
// What a resume puts between its script and the world: what the run has done before is answered
// from the journal, and not done again. The struct is host/runtime's; the matching is replay.lua.
#ifndef TS_BINDINGS_REPLAY_H
#define TS_BINDINGS_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "bindings/lx.h"
#include "host/base/buf.h"
#include "host/base/secret.h"
#include "host/ops/permission.h"

// Zeroed: nothing was done before. What is in verdicts is the owner's to release.
struct lx_replay {
    int hidden;                   // reference of a set of sitekeys that lists leave out; 0: none
    int64_t owed[TS_ALLOW_COUNT]; // done before, and not asked for again yet
    struct ts_buf verdicts;       // on what was in doubt, a JSON array
};

// Whether lists leave out the widget whose sitekey is at idx: the run has made it, and the script
// has not asked for it yet. Does not raise.
bool lx_is_hidden(lua_State *L, const struct lx_replay *replay, int idx);

// Puts the replay in front of the Lua half of a client: half and core are at these indices, the
// client box in upvalue 1. Pushes the new half.
TS_RAISES void push_replayed(lua_State *L, int half, int core);

// In a resume: whether a delivery has been done before, so that it is not done again. For a file
// that tells its content; for a command the journal, and the words of it are at index 2.
bool lx_has_written(lua_State *L, struct ts_secret *secret, const char *path);
TS_RAISES bool lx_has_piped(lua_State *L, struct ts_secret *secret, const char *sitekey);

// In a resume: whether the file holds an earlier secret of the widget, which the run had put there
// before it rotated the secret: then it may be replaced.
TS_RAISES bool lx_is_outdated(lua_State *L, const char *sitekey, const char *path);

#endif
