-- SPDX-License-Identifier: MIT
---@meta log

---What a script has to tell people beside its results: lines on standard error that a name or an
---answer with control characters in it cannot forge.
---@class log
local log = {}

---A line that `--quiet` leaves out.
---@param text string
function log.note(text) end

---A line that is always shown.
---@param text string
function log.warn(text) end

return log
