// SPDX-License-Identifier: MIT
// What changes something outside without being a write: delivering a secret, and revealing one to
// the script. The door is closed to none of it by stopping, for a new secret may be all there is.
#include "host/ops/deliver.h"
#include "host/ops/door.h"

static enum ts_err delivery_check(
    const struct ts_door *door, const char *target, struct ts_error *err)
{
    if (door->permissions.is_read_only) {
        return ts_error_set(
            err, TS_ERR_REFUSED, "%s: no secret is delivered under --read-only", target);
    }
    return TS_OK;
}

enum ts_err ts_door_take_reveal(struct ts_door *door, struct ts_error *err)
{
    unsigned reveal = TS_PERMISSION_BIT(TS_ALLOW_REVEAL);
    enum ts_err code = ts_permissions_check(&door->permissions, reveal, err);
    if (!code) {
        ts_permissions_use(&door->permissions, reveal, 1);
    }
    return code;
}

enum ts_err ts_door_deliver_file(struct ts_door *door, struct ts_secret *secret, const char *path,
    bool is_replace, struct ts_error *err)
{
    enum ts_err code = delivery_check(door, path, err);
    if (code || door->is_rehearsal) {
        return code;
    }
    return ts_deliver_file(secret, path, is_replace, err);
}

enum ts_err ts_door_deliver_command(struct ts_door *door, struct ts_loop *loop,
    struct ts_secret *secret, const char *const *argv, int64_t deadline_us, ts_deliver_fn on_done,
    void *owner, struct ts_delivery **out, struct ts_error *err)
{
    *out = NULL;
    enum ts_err code = delivery_check(door, argv[0], err);
    if (!code && door->is_rehearsal) {
        return ts_delivery_rehearse(loop, argv[0], on_done, owner, out, err);
    }
    return code ? code
                : ts_deliver_command(loop, secret, argv, deadline_us, on_done, owner, out, err);
}
