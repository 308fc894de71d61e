-- SPDX-License-Identifier: MIT
---@meta limits

---The checks that a write goes through before it is sent, for scripts that want to look at all
---their input before the first write.
---@class limits
local limits = {}

---A hostname or address literal as the API keeps it: lower case, without a trailing dot.
---@param text string
---@return string? domain nil when it cannot be one
---@return string? problem
function limits.domain(text) end

---Checks the text of a widget's field: the length of a name, the choices of the others.
---@param field "name"|"mode"|"region"|"clearance_level"
---@param text string
---@return string? text the same, nil when it breaks the rule
---@return string? problem
function limits.text(field, text) end

return limits
