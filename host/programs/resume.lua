-- SPDX-License-Identifier: MIT
-- Goes on with a run that was cut short: what is in doubt is settled by reading, then the script runs
-- again, and what it had done is answered from the journal.
local journal = require "tshost.journal"
local log = require "log"
local native = require "tshost.replay_core"
local replay = require "tshost.replay"
local settle = require "tshost.program.settle"
local turnstile = require "turnstile"

local LISTED = 20
local LOCKED, UNKNOWN = 7, 10 -- exit statuses
local FINISHED = { [0] = true, [3] = true }
local WORDS = { done = "applied", not_applied = "not applied", unknown = "unknown" }

-- The runs of the chain, and the operations of all of them in order.
local function read_chain(id)
  local runs, operations = {}, {}
  for run in journal.chain(id) do
    runs[#runs + 1] = run
    for operation in journal.operations(run.run) do
      operations[#operations + 1] = operation
    end
  end
  return runs, operations
end

local function say(...)
  log.note("tshost: " .. string.format(...))
end

-- Ends this run when there is nothing to resume.
local function check_over(runs)
  local in_doubt = 0
  for _, run in ipairs(runs) do
    if run.status == "running" then
      log.warn(("tshost: run %s goes on (pid %d); there is nothing to resume yet"):format(run.run,
        run.pid or 0))
      os.exit(LOCKED)
    end
    in_doubt = in_doubt + run.in_doubt
  end
  if in_doubt == 0 and FINISHED[runs[#runs].exit or -1] then
    say("run %s is finished: there is nothing to resume", runs[#runs].run)
    os.exit(0)
  end
end

local function told(operation)
  local name = operation.name and ('"%s"'):format(operation.name) or operation.sitekey or ""
  local op = operation.op
  if op == "write" then
    return ("secret:write %s"):format(operation.body.path)
  elseif op == "pipe" then
    return ("secret:pipe %s"):format(operation.body.command[1])
  elseif op == "create" and operation.sitekey then
    name = name .. " " .. operation.sitekey
  end
  return ("%s %s"):format(op, name)
end

local function tell_verdicts(verdicts)
  local unknown = 0
  for _, found in ipairs(verdicts) do
    local line = ("  %-11s  %s: %s"):format(WORDS[found.state], told(found.operation), found.why)
    if found.state == "unknown" then
      unknown = unknown + 1
      log.warn(line)
    else
      log.note(line)
    end
  end
  return unknown
end

-- What the script had done and did not ask for again. That a deletion or an update is not repeated is
-- how scripts go that look first; a widget or a secret that nobody asks for is what a person must know.
local function tell_rest(root)
  local rest, others = replay.rest(), 0
  local shown = 0
  for _, operation in ipairs(rest) do
    if operation.op == "create" or operation.op == "rotate" then
      shown = shown + 1
      if shown == 1 then
        log.warn(("tshost: run %s had done this, and the script has not asked for it again; it stays "
          .. "as it is"):format(root))
      end
      if shown <= LISTED then
        log.warn("  " .. told(operation))
      end
    else
      others = others + 1
    end
  end
  if shown > LISTED then
    log.warn(("  and %d more"):format(shown - LISTED))
  end
  if others > 0 then
    say("%d other operation%s of run %s %s not asked for again", others, others == 1 and "" or "s", root,
      others == 1 and "was" or "were")
  end
end

---@param id string the first run of the chain
---@param if_unknown "stop"|"done"|"not-applied"
---@param script function
---@return function main what runs in the script's place, with its arguments
return function(id, if_unknown, script)
  return function(...)
    check_over((read_chain(id)))
    native.half(turnstile.widgets).core.account() -- opens the client: from here on nobody else writes
    local runs, operations = read_chain(id)
    check_over(runs)
    local verdicts = settle(operations, if_unknown)
    if #verdicts > 0 then
      say("run %s: %d operation%s in doubt", id, #verdicts, #verdicts == 1 and "" or "s")
      if tell_verdicts(verdicts) > 0 then
        log.warn("tshost: what came of these cannot be told; look at them, then resume with --if-unknown "
          .. "done or --if-unknown not-applied")
        os.exit(UNKNOWN)
      end
    end
    replay.load(operations)
    native.begin()
    script(...)
    tell_rest(id)
  end
end
