-- SPDX-License-Identifier: MIT
-- Times as the API has them: RFC 3339 in UTC, to the second.
local timestamp = {}

-- Days from 1970-01-01, for the calendar in which March is the first month and leap days are last.
local function days(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  return 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day
    - 719469
end

---Seconds since 1970, without the fraction.
---@param text string "2026-01-02T03:04:05.94052Z"
---@return integer? seconds nil when it is no such time
function timestamp.parse(text)
  local year, month, day, hour, minute, second =
    text:match "^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d):(%d%d)%.?%d*Z$"
  if not year then
    return nil
  end
  local date = days(math.tointeger(year), math.tointeger(month), math.tointeger(day))
  return ((date * 24 + math.tointeger(hour)) * 60 + math.tointeger(minute)) * 60
    + math.tointeger(second)
end

---@param seconds integer since 1970
---@return string text "2026-01-02T03:04:05Z"
function timestamp.format(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", seconds) --[[@as string]]
end

---The same for people: with the local time behind it, where that is another.
---@param seconds integer since 1970
---@return string text "2026-01-02T03:04:05Z (04:04 CET)"
function timestamp.show(seconds)
  if os.date("%z", seconds) == "+0000" then
    return timestamp.format(seconds)
  end
  return timestamp.format(seconds) .. os.date(" (%H:%M %Z)", seconds)
end

return timestamp
