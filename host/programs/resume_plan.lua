-- SPDX-License-Identifier: MIT
-- Goes on with a run that carries out a plan: its steps that were not done.
local journal = require "tshost.journal"
local replay = require "tshost.replay"
local resume_begin = require "tshost.program.resume_begin"
local run = require "tshost.run"
local steps = require "tshost.program.steps"
local steps_look = require "tshost.program.steps_look"

local USAGE, REFUSED = 2, 5

-- The numbers of the steps that were carried out, and what became of placeholders.
local function done_of(list, operations)
  local done, sitekeys = {}, {}
  for _, operation in ipairs(operations) do
    local step = operation.state == "done" and list[operation.step]
    if step then
      done[operation.step] = true
      if step.new then
        sitekeys[step.new] = operation.sitekey
      end
    end
  end
  return done, sitekeys
end

---@param id string the first run of the chain
---@param if_unknown "stop"|"done"|"not-applied"
---@param on_stale "stop"|"skip"
return function(id, if_unknown, on_stale)
  local operations, root = resume_begin.settled(id, if_unknown)
  local list = {}
  for step in journal.plan(id) do
    list[#list + 1] = step
  end
  if #list == 0 then
    run.fail(USAGE, ("run %s has no plan in the journal"):format(id))
  end
  replay.count(operations)
  local done, sitekeys = done_of(list, operations)
  local shortage = run.shortage(steps.needs(list, done))
  if shortage then
    run.fail(REFUSED, ("what is left of run %s: %s"):format(id, shortage))
  end
  local found = steps_look.read(list, { done = done, sitekeys = sitekeys, since = root.started })
  run.begin { script = root.script }
  local result = steps.run(list, {
    done = done, sitekeys = sitekeys, found = found, on_stale = on_stale, label = "Resuming",
  })
  steps.warn_rest(list, result.rest)
end
