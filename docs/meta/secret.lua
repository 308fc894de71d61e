-- SPDX-License-Identifier: MIT
---@meta secret

---A secret that can be moved but not seen: `tostring`, `..`, `string.format` and JSON give
---"[secret]", `#` raises. Two secrets are equal when their bytes are. Not a module: `widget.secret`
---is one.
---
---A delivery that fails counts against the exit status like a failed write (4), one that
---`--read-only` forbids like a refused one (5), unless the script forgives it
---(`err:forgive("why")`).
---@class secret
local secret = {}

---@class secret.write_options
---@field replace? boolean overwrite a regular file that is there (default false)

---Writes the secret, without a newline, to a file with mode 0600. The file is complete and synced
---before it gets its name. Links are never followed, other kinds of files never replaced.
---@param path string
---@param options? secret.write_options
---@return true? written
---@return turnstile.error? err kind "io", or "refused"
function secret:write(path, options) end

---@class secret.command
---@field [integer] string the command, found through PATH, and its arguments; no shell is involved
---@field timeout? number seconds until it is killed (default 60)

---Gives the secret to a command's standard input and waits until it ends. It succeeds when the
---command has read all of it and exits with 0. What it prints goes to standard error; it inherits
---the environment.
---@param command secret.command
---@return true? delivered
---@return turnstile.error? err kind "io", "timeout" or "refused"
function secret:pipe(command) end

---The secret as a string, only under `--allow reveal`.
---@return string? text
---@return turnstile.error? err kind "refused"
function secret:reveal() end

return secret
