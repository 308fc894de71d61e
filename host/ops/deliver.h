// SPDX-License-Identifier: MIT
// Where a secret may go: a file of its own, or a command's standard input.
// Neither puts it into argv, the environment, a log or a temporary file that outlives the call.
#ifndef TS_OPS_DELIVER_H
#define TS_OPS_DELIVER_H

#include <stdbool.h>
#include <stdint.h>

#include "host/base/error.h"
#include "host/base/secret.h"

struct ts_loop;
struct ts_delivery;

// Writes the secret, without a newline, to path: mode 0600, complete or not there at all (written
// beside it, synced, then linked or renamed). EXISTS when path is there and is_replace is false;
// SYSTEM. A symbolic link at path is never followed.
enum ts_err ts_deliver_file(
    struct ts_secret *secret, const char *path, bool is_replace, struct ts_error *err);

// Whether the regular file at path, which is no link, holds that secret and nothing else.
bool ts_deliver_is_there(struct ts_secret *secret, const char *path);

// Writes the fingerprint of what such a file holds, as if it were a secret. False when there is no
// such file, or it is empty or longer than any widget's secret.
bool ts_deliver_mark(struct ts_secret_pool *pool, const char *path, char mark[TS_SECRET_MARK]);

typedef void (*ts_deliver_fn)(void *owner, struct ts_delivery *delivery);

// Starts argv[0] (found through PATH, no shell) with the secret on its standard input and its
// standard output joined to our standard error. argv ends in NULL. The command is killed when
// deadline_us (monotonic) passes. on_done is called once, from the loop. SYSTEM, NOMEM.
enum ts_err ts_deliver_command(struct ts_loop *loop, struct ts_secret *secret,
    const char *const *argv, int64_t deadline_us, ts_deliver_fn on_done, void *owner,
    struct ts_delivery **out, struct ts_error *err);

// The same without the command: nothing is started, and it ends well at once.
enum ts_err ts_delivery_rehearse(struct ts_loop *loop, const char *command, ts_deliver_fn on_done,
    void *owner, struct ts_delivery **out, struct ts_error *err);

// How it ended: TS_OK when the command exited with 0; otherwise SYSTEM or TIMEOUT with the exit
// status or signal in the message. Only after on_done.
enum ts_err ts_delivery_result(const struct ts_delivery *delivery, struct ts_error *err);

// Kills the command if it still runs, reaps it, releases. NULL is fine.
void ts_delivery_cancel(struct ts_delivery *delivery);

#endif
