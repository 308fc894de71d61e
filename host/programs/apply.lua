-- SPDX-License-Identifier: MIT
-- Carries out a plan: its steps, not its script. All that can be refused is refused before the first
-- write.
local cjson = require "cjson"
local fs = require "fs"
local log = require "log"
local plan_file = require "tshost.program.plan_file"
local run = require "tshost.run"
local steps = require "tshost.program.steps"
local steps_look = require "tshost.program.steps_look"

local USAGE, REFUSED = 2, 5

-- The client leaves such slashes out, too.
local function without_slash(url)
  return (url:gsub("/+$", ""))
end

local function check_place(path, plan)
  local account, origin = run.account(), run.origin()
  if plan.account ~= account then
    local hint = account and ("; it is for another than %s"):format(account) or ""
    run.fail(REFUSED, ("%s: the plan is for the account %s%s; give --account %s"):format(path,
      plan.account, hint, plan.account))
  elseif without_slash(plan.base_url) ~= without_slash(origin) then
    local file = plan.base_url:match "^sandbox:(.*)"
    local option = not file and "--base-url " .. plan.base_url
      or file == "" and "--sandbox" or "--sandbox=" .. file
    run.fail(REFUSED, ("%s: the plan is for %s, and this is %s; give %s"):format(path, plan.base_url,
      origin, option))
  end
end

local function make_directories(path, plan)
  for _, directory in ipairs(plan.directories or {}) do
    local ok, problem = fs.mkdir(directory)
    if not ok then
      run.fail(USAGE, ("%s: %s"):format(path, problem))
    end
  end
end

-- Commands run where they would have run in the script.
local function enter_directory(path, plan)
  for _, step in ipairs(plan.steps) do
    if step.op == "pipe" then
      local ok, problem = run.enter(plan.directory or ".")
      if not ok then
        run.fail(USAGE, ("%s: the directory that its commands run in: %s"):format(path, problem))
      end
      return
    end
  end
end

-- Refuses a plan that was applied. "already applied by the run ..." is the journal's.
local function begin(path, plan, file)
  local id, problem = run.begin {
    plan_id = plan.plan,
    plan = cjson.encode(plan.steps),
    script = file,
  }
  if not id then
    run.fail(REFUSED, ("%s: %s; a plan is applied once. tshost log shows what that run did, and "
      .. "tshost resume finishes it"):format(path, problem))
  end
end

---@param path string
---@param on_stale "stop"|"skip"
---@param file string the path from the root
return function(path, on_stale, file)
  local plan, problem = plan_file.read(path)
  if not plan then
    run.fail(USAGE, problem)
  end
  check_place(path, plan)
  local shortage = run.shortage(steps.needs(plan.steps))
  if shortage then
    run.fail(REFUSED, ("%s: %s"):format(path, shortage))
  end
  if #plan.steps == 0 then
    log.note "tshost: the plan changes nothing"
    return
  end
  make_directories(path, plan)
  enter_directory(path, plan)
  local found = steps_look.read(plan.steps, { since = plan.created })
  begin(path, plan, file)
  local result = steps.run(plan.steps, { found = found, on_stale = on_stale })
  steps.warn_rest(plan.steps, result.rest)
end
