-- SPDX-License-Identifier: MIT
---@meta fs

---What scripts need to know of files beyond Lua's own `io`.
---@class fs
local fs = {}

---Whether there is something at path. A symbolic link counts as what it points to.
---@param path string
---@return boolean? exists nil when it cannot be told
---@return string? problem
function fs.exists(path) end

---Whether there is a regular file that holds something. A symbolic link counts as what it points to.
---@param path string
---@return boolean? is_file false when nothing is there, nil when it is something else or cannot be told
---@return string? problem
function fs.is_file(path) end

---Makes a directory that only this user can enter (mode 0700). One that is there already is left as
---it is and is fine if this user can write into it. Parents are not made.
---@param path string
---@return true? made
---@return string? problem
function fs.mkdir(path) end

return fs
