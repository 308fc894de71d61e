-- SPDX-License-Identifier: MIT
-- The writes of `turnstile.widgets`: what has to be read before one, in which order those of the same
-- widget go, and what is done when an answer is lost. The native half (core) checks what scripts
-- pass, sends one request each, and keeps the ledger.
local new_doubt = require "tshost.doubt"
local new_freshness = require "tshost.freshness"
local holds = require "tshost.holds"
local shield = require "tshost.task_core".shield -- a lost answer is settled also in a cancelled task

local LATE_TRIES = 4 -- of an update that cannot begin in time, once it has the turn
local ALL_FIELDS = 0xff -- the bits of all writable fields

-- Of all clients, which may be of the same account.
local groups = {} -- name -> creates of widgets so called: { flying =, is_settling =, users = }
local mine = {} -- sitekeys that were created here

---The functions of one client. `fresh` is --fresh in microseconds.
local function new(core, fresh)
  local half = {}
  local freshness = new_freshness(core, fresh)
  local doubt = new_doubt(core, freshness)
  local hold = holds.new()
  local late_turn = holds.new() -- of one key

  local Group, Flight, Turn = {}, {}, {}

  function Group:__close()
    self.users = self.users - 1
    if self.users == 0 then
      groups[self.name] = nil
    end
  end

  function Flight:__close()
    self.group.flying = self.group.flying - 1
    holds.wake(self.group)
  end

  function Turn:__close()
    self.group.is_settling = false
    holds.wake(self.group)
  end

  -- Sends a create, while nobody settles one like it.
  local function send_create(group, fields)
    while group.is_settling do
      holds.wait(group)
    end
    group.flying = group.flying + 1
    local _ <close> = setmetatable({ group = group }, Flight)
    return core.create(fields)
  end

  -- Settles a create. A widget that is found may be anybody's who has sent the same and has no answer
  -- yet: so all those land first, and they settle one after the other.
  local function settle_create(group, fields, sent, err)
    while group.is_settling or group.flying > 0 do
      holds.wait(group)
    end
    group.is_settling = true
    local _ <close> = setmetatable({ group = group }, Turn)
    return doubt.create(group.name, fields, mine, sent, err)
  end

  function half.create(wanted)
    local fields, name = core.check_create(wanted)
    groups[name] = groups[name] or setmetatable({ name = name, flying = 0, users = 0 }, Group)
    local group <close> = groups[name]
    group.users = group.users + 1
    local widget, err, sent = send_create(group, fields)
    if not widget and err.outcome == "unknown" then
      widget, err = shield(settle_create, group, fields, sent, err)
    end
    if not widget then
      return nil, err
    end
    mine[widget.sitekey] = true
    return widget
  end

  -- The widget that an update is put over, the script's own when it can be relied on, else read; and
  -- until when it may be relied on.
  local function base_of(sitekey, subject, fields)
    local good_until = freshness.good_until(sitekey, subject)
    if good_until then
      return subject, good_until
    end
    local live, problem = core.read(sitekey)
    if not live then
      return nil, problem
    end
    freshness.has_read(sitekey, live)
    local field = core.known(subject)
      and core.stale_field(subject, live, fields, freshness.own_fields(sitekey, live))
    if field then
      local _, err = core.stale(sitekey,
        ("somebody else has changed `%s` since it was read; nothing was sent"):format(field))
      err.expected, err.actual, err.attempts = subject, live, 1
      return nil, err
    end
    return live, freshness.good_after_read()
  end

  -- Sends an update over what can be relied on; `false, "late"` when it could not begin by then. The
  -- third result is what it was put over, the fourth the bits of the fields there that are our own.
  local function send_update(sitekey, subject, fields)
    local base, good_until = base_of(sitekey, subject, fields)
    if not base then
      return nil, good_until
    end
    local kept = freshness.own_fields(sitekey, base)
    local widget, err = core.put(base, fields, good_until)
    return widget, err, base, kept
  end

  -- A write that waits for the rate budget may outlive what it relies on. Those that did go one at a
  -- time: else they could use up the budget with reading, again and again.
  local function send_late_update(sitekey, subject, fields)
    local _ <close> = late_turn(true)
    for _ = 1, LATE_TRIES do
      local widget, err, base, kept = send_update(sitekey, subject, fields)
      if err ~= "late" then
        return widget, err, base, kept
      end
    end
    return core.starved(sitekey, "not sent: the rate budget let it not begin soon enough after the "
      .. "widget had been read; a higher --rate or --fresh lets it")
  end

  function half.update(subject, changes)
    local sitekey, fields, bits = core.check_update(subject, changes)
    local _ <close> = hold(sitekey)
    local widget, err, base, kept = send_update(sitekey, subject, fields)
    if err == "late" then
      widget, err, base, kept = send_late_update(sitekey, subject, fields)
    end
    if widget then
      freshness.has_written(sitekey, widget, bits | kept)
      return widget
    elseif widget == false then
      return base
    elseif err.outcome ~= "unknown" then
      return nil, err
    end
    return shield(doubt.update, sitekey, fields, base, bits | kept, err)
  end

  function half.delete(subject)
    local sitekey = core.check_delete(subject)
    local _ <close> = hold(sitekey)
    local is_done, err = core.delete(sitekey)
    if not is_done and err.outcome == "unknown" then
      is_done, err = shield(doubt.delete, sitekey, err)
    end
    if not is_done then
      return nil, err
    end
    freshness.has_deleted(sitekey)
    return true
  end

  -- What is known of a widget before its secret is rotated, to tell afterwards whether it was. Of a
  -- bare sitekey nothing is: the widget is read, unless the door would not let the write pass anyway.
  local function evidence_of(sitekey, subject)
    local is_read = false
    if type(subject) ~= "table" then
      subject = core.may_rotate() and core.peek(sitekey)
      is_read = true
    end
    if not subject then
      return {}
    end
    local _, _, _, modified = core.known(subject)
    return {
      fingerprint = core.fingerprint(rawget(subject, "secret")),
      widget = subject,
      modified = modified,
      bits = ALL_FIELDS,
      is_read = is_read,
    }
  end

  function half.rotate_secret(subject, options)
    local sitekey, is_immediate = core.check_rotate(subject, options)
    local _ <close> = hold(sitekey)
    local before = evidence_of(sitekey, subject)
    local widget, err, sent = core.rotate(sitekey, is_immediate)
    if widget then
      freshness.has_written(sitekey, widget)
      return widget
    elseif err.outcome ~= "unknown" then
      return nil, err
    end
    return shield(doubt.rotate, sitekey, is_immediate, before, sent, err)
  end

  return half
end

return new
