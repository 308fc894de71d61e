-- SPDX-License-Identifier: MIT
-- Reads one widget and then all of them, and tells as JSON what it got and how much memory it took.
local cjson = require "cjson"
local turnstile = require "turnstile"

local function peak_kb()
  for line in io.lines("/proc/self/status") do
    local kb = line:match("^VmHWM:%s*(%d+)")
    if kb then return tonumber(kb) end
  end
end

local function report(what, ok, err)
  local failure
  if not ok then
    failure = { kind = err.kind, status = err.status, text = tostring(err), retryable = err.retryable }
  end
  print(cjson.encode{ what = what, failure = failure, peak_kb = peak_kb() })
end

local widget, err = turnstile.widgets.get("0x4AAAAAAAAAAAAAAAAAAAAA")
report("get", widget, err)
local ok, problem = pcall(turnstile.widgets.all)
report("all", ok, problem)
