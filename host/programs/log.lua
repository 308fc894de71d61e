-- SPDX-License-Identifier: MIT
-- What runs have done, as the journal has it.
local journal = require "tshost.journal"
local text_table = require "text_table"

local TITLES = { "run", "started", "command", "script", "status", "done", "failed" }

-- The last part of a path.
local function base(path)
  return path:match "([^/]+)/*$" or path
end

local function print_runs()
  local rows = {}
  for run in journal.runs() do
    rows[#rows + 1] = {
      run.run,
      (run.started:gsub("%.%d+Z$", "Z")),
      run.command,
      run.script and base(run.script) or "",
      run.status,
      tostring(run.done),
      tostring(run.not_applied + run.refused + run.stale),
    }
  end
  io.write(text_table.render(TITLES, rows))
end

---@param format "text"|"json"
return function(format)
  if format == "json" then
    for line in journal.runs(nil, true) do
      print(line)
    end
  else
    print_runs()
  end
end
