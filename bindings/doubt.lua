-- SPDX-License-Identifier: MIT
-- What became of a write whose answer was lost, found out by reading: applied, then it is done; not
-- applied, then it is sent again; else its outcome stays unknown. The ledger tells of the doubt until
-- it is settled, so that a run which is stopped in between ends with exit status 10.
local expectation = require "tshost.expectation"
local lx = require "tshost.lx"
local task = require "tshost.task_core"

local TRIES = 4 -- sendings in all
local LOOKS = 2 -- before what may be done only once is sent again: what was lost may come late
local SLOW_LOOKS = 5 -- the same when nobody had hung up but us: the service may be at it still
local GATEWAY_TIMEOUTS = { [504] = true, [524] = true } -- nor had it then
local MARGIN = 2000000 -- between the clocks of a service's machines, and a Date of whole seconds
local PER_PAGE, PAGES = 100, 100

local function new(core, freshness)
  local doubt = {}

  -- Waits a little before the n-th look: what was lost may still be under way.
  local function pause(n)
    task.sleep(0.1 * 3 ^ (math.min(n, 3) - 1) * (1 + core.now() % 1000 / 1000))
  end

  -- The doubt stays, or ends badly: the error and the summary say this too.
  local function explain(lost, more)
    lost.message = lost.message .. "; " .. more
    core.explain(lost, more)
  end

  -- The doubt that `err` tells of has come to this end.
  local function settle(err, op, is_done, what, widget)
    core.resolve(err, op, is_done, widget)
    lx.verbose(("settled: %s %s: %s"):format(err.op, err.sitekey or "", what))
  end

  local function looks_for(lost)
    local is_slow = lost.kind == "timeout" or GATEWAY_TIMEOUTS[lost.status]
    return is_slow and SLOW_LOOKS or LOOKS
  end

  local function is_missing(problem)
    return problem.kind == "api" and problem.status == 404
  end

  -- Goes on with a doubt by turns: `judge` reads, and gives true and the result when that settled
  -- it, false when the write was not applied, nil when it cannot be told; `send` sends it again, or
  -- gives "late" when too much time has passed since the reading.
  local function pursue(err, op, judge, send)
    local attempts = err.attempts
    for try = 1, TRIES do
      local verdict, result = judge(err, try)
      attempts = attempts + 1
      if verdict then
        settle(err, op, true, "it was applied", result)
        return result
      elseif verdict == nil then
        break
      elseif try == TRIES then
        err.outcome = "not_applied"
        explain(err, "it was not applied")
        core.refute(err)
        break
      end
      local again, problem = send(err)
      if again then
        settle(err, op, false, "it was not applied, and has been sent again")
        return again
      elseif problem ~= "late" then
        problem.attempts = problem.attempts + attempts
        attempts = problem.attempts
        settle(err, op, false, "it was not applied; sent again")
        err = problem
        if err.outcome ~= "unknown" then
          break
        end
      end
    end
    err.attempts = attempts
    return nil, err
  end

  ---`before` is the widget that the changes were put over; `expect` what a plan expects of it.
  function doubt.update(sitekey, changes, before, bits, err, expect)
    local modified = core.known(before) and core.time(before.modified_on)
    local live, good_until
    core.distrust(sitekey)

    local function has_conflict()
      if expect then
        return expectation.differing(expect, live)
      end
      return not core.known(before)
        or core.stale_field(before, live, changes, core.own_fields(sitekey, live))
    end

    local function judge(lost, try)
      pause(try)
      local problem
      live, problem = core.peek(sitekey)
      if not live then
        explain(lost, "reading it: " .. problem.message)
        return nil
      end
      good_until = freshness.good_after_read()
      core.has_read(sitekey, live)
      if not core.differs(live, changes) then
        core.has_written(sitekey, live, bits)
        return true, live
      end
      local is_untouched = modified and core.time(live.modified_on) == modified
      if is_untouched or not has_conflict() then
        return false
      end
      lost.kind, lost.expected, lost.actual = "stale", before, live
      explain(lost, "somebody else has changed it since")
      return nil
    end

    return pursue(err, "update", judge, function(lost)
      return core.put(live, changes, good_until, lost)
    end)
  end

  function doubt.delete(sitekey, err)
    return pursue(err, "delete", function(lost, try)
      pause(try)
      local live, problem = core.peek(sitekey)
      if live then
        return false
      elseif is_missing(problem) then
        return true, true
      end
      explain(lost, "reading it: " .. problem.message)
    end, function(lost)
      return core.delete(sitekey, lost)
    end)
  end

  -- The least that the service's clock said at `moment`, going by the Date of a later answer.
  local function service_time(info, moment)
    return info.date_us and info.date_us - (info.end_us - moment) - MARGIN
  end

  ---`before` is what is known from before: fingerprint, the widget's table, its modified_on; is_read
  ---when it was read right before.
  function doubt.rotate(sitekey, is_immediate, before, sent, err)
    core.distrust(sitekey)

    -- true: applied; false: not; nil: cannot be told.
    local function tell(live, info)
      local modified = core.time(live.modified_on)
      local least = service_time(info, sent)
      local is_older = modified and least and modified < least
      if before.fingerprint then
        if core.fingerprint(live.secret) == before.fingerprint or is_older then
          return false
        end
        return (least or before.is_read) and true or nil -- else it may be anybody's since then
      elseif is_older or modified and modified == before.modified then
        return false
      elseif before.modified and modified and core.known(before.widget)
        and core.digest(live, before.bits) == core.digest(before.widget, before.bits) then
        return true
      end
      return nil
    end

    return pursue(err, "rotate", function(lost)
      local live, info, is_applied
      for look = 1, looks_for(lost) do
        pause(look)
        live, info = core.peek(sitekey)
        if not live then
          explain(lost, "reading it: " .. info.message)
          return nil
        end
        is_applied = tell(live, info)
        if is_applied ~= false then
          break
        end
      end
      if is_applied then
        core.has_written(sitekey, live, 0)
      elseif is_applied == nil then
        lost.actual = live
        explain(lost, "whether it was rotated cannot be told; err.actual has the secret that is "
          .. "valid now")
      end
      return is_applied, live
    end, function(lost)
      return core.rotate(sitekey, is_immediate, lost)
    end)
  end

  -- The sitekeys that may be what a lost create has made: made since it was sent, with the same
  -- name, domains and mode, and not known from elsewhere. nil and why when the list cannot be read.
  local function find_created(name, changes, sent, mine)
    local options = { order = "created_on", direction = "desc", per_page = PER_PAGE }
    if not name:find("\0", 1, true) then
      options.filter = "name:" .. name
    end
    local found, met, least, last, is_sorted = {}, {}, nil, math.maxinteger, true
    for page = 1, PAGES do
      local rows, info = core.page(options, page)
      if not rows then
        return nil, info.message
      end
      least = least or service_time(info, sent) or math.mininteger
      for _, row in ipairs(rows) do
        local created = core.time(row.created_on) or math.maxinteger
        is_sorted = is_sorted and created <= last
        last = created
        if created >= least and type(row.sitekey) == "string" and not met[row.sitekey]
          and not mine[row.sitekey] and not core.is_listed(row.sitekey, sent)
          and core.is_twin(row, changes) then
          met[row.sitekey] = true
          found[#found + 1] = row.sitekey
        end
      end
      if #rows < (info.per_page or PER_PAGE) or is_sorted and last < least then
        return found, least > math.mininteger
      end
    end
    return nil, "the list does not end"
  end

  ---`mine` holds the sitekeys that this client has created. No other create of the same name may be
  ---under way: what is found could be its widget as well.
  function doubt.create(name, changes, mine, sent, err)
    err.sitekey = nil
    return pursue(err, "create", function(lost)
      local found, is_dated
      for look = 1, looks_for(lost) do
        pause(look)
        found, is_dated = find_created(name, changes, sent, mine)
        if not found then
          explain(lost, "looking for it: " .. is_dated)
          return nil
        elseif #found > 0 then
          break
        end
      end
      if #found == 0 then
        return false
      elseif #found > 1 or not is_dated then
        explain(lost, "it may have become " .. table.concat(found, " or "))
        return nil
      end
      local widget, problem = core.peek(found[1])
      if not widget then
        explain(lost, ("it became %s; reading it: %s"):format(found[1], problem.message))
        return nil
      end
      mine[widget.sitekey] = true
      return true, widget
    end, function(lost)
      local widget, problem = core.create(changes, lost)
      if widget then
        mine[widget.sitekey] = true
      end
      return widget, problem
    end)
  end

  return doubt
end

return new
