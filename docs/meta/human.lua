-- SPDX-License-Identifier: MIT
---@meta human

---Figures as people read them, as the summary and the progress show them.
---@class human
local human = {}

---A whole number with a comma before every three digits: `12,400`.
---@param number integer
---@return string text
function human.count(number) end

---A span of time with two units at most: `0.4 s`, `59 s`, `10 min 5 s`, `3 h 20 min`, `2 d 1 h`.
---@param seconds number from 0 to 1e12
---@return string text
function human.duration(seconds) end

return human
