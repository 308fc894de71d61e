-- SPDX-License-Identifier: MIT
-- How every resume begins: whether there is anything to resume, the account to itself, and what is in
-- doubt settled.
local account_core = require "tshost.program.account_core"
local cjson = require "cjson"
local journal = require "tshost.journal"
local log = require "log"
local native = require "tshost.replay_core"
local run = require "tshost.run"
local settle = require "tshost.program.settle"

local LOCKED, UNKNOWN = 7, 10 -- exit statuses
local FINISHED = { [0] = true, [3] = true }
local WORDS = { done = "applied", not_applied = "not applied", unknown = "unknown" }

local resume_begin = {}

-- The runs of the chain, and the operations of all of them in order.
local function read_chain(id)
  local runs, operations = {}, {}
  for row in journal.chain(id) do
    runs[#runs + 1] = row
    for operation in journal.operations(row.run) do
      operations[#operations + 1] = operation
    end
  end
  return runs, operations
end

---Says something at the usual level.
function resume_begin.say(...)
  log.note("tshost: " .. string.format(...))
end

-- Ends this run when there is nothing to resume.
local function check_over(runs)
  local in_doubt = 0
  for _, row in ipairs(runs) do
    if row.status == "running" and run.is_here(row.host) then
      run.fail(LOCKED, ("run %s goes on (pid %d): there is nothing to resume yet"):format(row.run,
        row.pid or 0))
    end
    in_doubt = in_doubt + row.in_doubt + (row.under_way or 0)
  end
  if in_doubt == 0 and FINISHED[runs[#runs].exit or -1] then
    resume_begin.say("run %s is finished: there is nothing to resume", runs[#runs].run)
    os.exit(0)
  end
end

-- Opens the accounts of the chain: from here on nobody else writes there. A run of the chain that goes
-- on has them, and keeps this one out.
local function open_accounts(id)
  local runs, operations = read_chain(id)
  check_over(runs)
  if run.account() then
    account_core()
  end
  for _, operation in ipairs(operations) do
    if operation.account then
      account_core(operation.account)
    end
  end
end

---An operation in a few words: 'create "acme login" 0x4AAA...'.
function resume_begin.told(operation)
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

-- How many stay unknown.
local function tell_verdicts(verdicts)
  local unknown, list = 0, {}
  for i, found in ipairs(verdicts) do
    local operation = found.operation
    list[i] = {
      operation = operation.operation, op = operation.op, sitekey = operation.sitekey,
      name = operation.name, verdict = found.state, why = found.why,
    }
    local line = ("  %-11s  %s: %s"):format(WORDS[found.state], resume_begin.told(operation),
      found.why)
    if found.state == "unknown" then
      unknown = unknown + 1
      log.warn(line)
    else
      log.note(line)
    end
  end
  native.tell(cjson.encode(list))
  return unknown
end

---Gives the operations of the chain, none of them in doubt, and its first run; or ends this run.
---@param id string the first run of the chain
---@param if_unknown "stop"|"done"|"not-applied"
function resume_begin.settled(id, if_unknown)
  open_accounts(id)
  local runs, operations = read_chain(id)
  check_over(runs)
  local verdicts = settle(operations, if_unknown)
  if #verdicts > 0 then
    resume_begin.say("run %s: %d operation%s in doubt", id, #verdicts, #verdicts == 1 and "" or "s")
    if tell_verdicts(verdicts) > 0 then
      run.fail(UNKNOWN, "what came of these cannot be told; look at them, then resume with --if-unknown "
        .. "done or --if-unknown not-applied")
    end
  end
  return operations, runs[1]
end

return resume_begin
