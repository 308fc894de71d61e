-- SPDX-License-Identifier: MIT
-- Goes on with a run of a script that was cut short: the script runs again, and what it had done is
-- answered from the journal.
local log = require "log"
local replay = require "tshost.replay"
local resume_begin = require "tshost.program.resume_begin"
local run = require "tshost.run"

local LISTED = 20

-- What the script had done and did not ask for again. That a deletion or an update is not repeated is
-- how scripts go that look first; a widget or a secret that nobody asks for is what a person must know.
local function tell_rest(root)
  local shown, others = 0, 0
  for _, operation in ipairs(replay.rest()) do
    if operation.op == "create" or operation.op == "rotate" then
      shown = shown + 1
      if shown == 1 then
        log.warn(("tshost: run %s had done this, and the script has not asked for it again; it stays "
          .. "as it is"):format(root))
      end
      if shown <= LISTED then
        log.warn("  " .. resume_begin.told(operation))
      end
    else
      others = others + 1
    end
  end
  if shown > LISTED then
    log.warn(("  and %d more"):format(shown - LISTED))
  end
  if others > 0 then
    resume_begin.say("%d other operation%s of run %s %s not asked for again", others,
      others == 1 and "" or "s", root, others == 1 and "was" or "were")
  end
end

---@param id string the first run of the chain
---@param if_unknown "stop"|"done"|"not-applied"
---@param script function
---@return function main what runs in the script's place, with its arguments
return function(id, if_unknown, script)
  return function(...)
    replay.load((resume_begin.settled(id, if_unknown)))
    run.begin {}
    script(...)
    tell_rest(id)
  end
end
