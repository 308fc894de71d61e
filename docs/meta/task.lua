-- SPDX-License-Identifier: MIT
---@meta task

---Work side by side. Tasks switch only where a call waits, so plain Lua code is never interrupted.
---@class task
local task = {}

---A task that was started.
---@class task.handle
local handle = {}

---Waits for the end of the task. May be called more than once. Raises the task's error, one of kind
---`cancelled` when it was cancelled.
---@return any ... the function's results
function handle:await() end

---Ends the task at its next wait, and what it spawned. Nothing when it has ended.
function handle:cancel() end

---@return "running"|"done"|"failed"|"cancelled"
function handle:status() end

---@class task.options
---@field concurrency? integer how many run at a time (default 16)
---@field progress? string a label under which it is shown how far the job is
---@field total? integer how many items an iterator has, for `progress`
---@field on_error? "stop"|"collect" what an error does: end it all (default), or go to the list

---What became of one item, with `on_error = "collect"`.
---@class task.failure
---@field index integer
---@field item any
---@field error any as it was raised
---@field traceback string

---Starts `fn(...)`; it runs when the current task waits. An error that nobody awaits counts against
---the exit status. A task that fails or is cancelled cancels what it has spawned.
---@param fn fun(...): ...
---@param ... any
---@return task.handle handle
function task.spawn(fn, ...) end

---The same as `handle:cancel()`.
---@param started task.handle
function task.cancel(started) end

---Calls `fn(item, index)` for every item of an array or iterator. The first error cancels those under
---way, keeps further items from starting, and is raised here.
---@generic T
---@param items T[]|fun(): T?
---@param fn fun(item: T, index: integer)
---@param options? task.options
---@return integer count of the items
---@return task.failure[]? errors with `on_error = "collect"`, in the order of the items
function task.each(items, fn, options) end

---The same, collecting the first result of each call in the order of the items.
---@generic T, R
---@param items T[]|fun(): T?
---@param fn fun(item: T, index: integer): R
---@param options? task.options
---@return R[] results has gaps where `fn` returned nil or failed
---@return integer count of the items
---@return task.failure[]? errors with `on_error = "collect"`, in the order of the items
function task.map(items, fn, options) end

---Calls `fn(...)` and cancels it when it takes longer than so many seconds.
---@param seconds number
---@param fn fun(...): ...
---@param ... any
---@return any ... what `fn` returned; nil when the time was up
---@return table? err of kind `timeout`, when the time was up
function task.with_timeout(seconds, fn, ...) end

---Lets other tasks run for so long.
---@param seconds number
function task.sleep(seconds) end

return task
