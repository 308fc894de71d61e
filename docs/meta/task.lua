-- SPDX-License-Identifier: MIT
---@meta task

---Work side by side. Tasks switch only where a call waits, so plain Lua code is never interrupted.
---@class task
local task = {}

---A task that was started.
---@class task.handle
local handle = {}

---Waits for the end of the task. May be called more than once.
---@return any ... the function's results
function handle:await() end

---@class task.options
---@field concurrency? integer how many run at a time (default 16)
---@field progress? string a label; with `--verbose` the number done is told at the end

---Starts `fn(...)`; it runs when the current task waits. An error that nobody awaits counts against
---the exit status.
---@param fn fun(...): ...
---@param ... any
---@return task.handle handle
function task.spawn(fn, ...) end

---Calls `fn(item, index)` for every item of an array or iterator. The first error keeps further
---items from starting; those under way are finished, then it is raised here.
---@generic T
---@param items T[]|fun(): T?
---@param fn fun(item: T, index: integer)
---@param options? task.options
function task.each(items, fn, options) end

---The same, collecting the first result of each call in the order of the items.
---@generic T, R
---@param items T[]|fun(): T?
---@param fn fun(item: T, index: integer): R
---@param options? task.options
---@return R[] results has gaps where `fn` returned nil
---@return integer count of the items
function task.map(items, fn, options) end

---Lets other tasks run for so long.
---@param seconds number
function task.sleep(seconds) end

return task
