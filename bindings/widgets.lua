-- SPDX-License-Identifier: MIT
-- The writes of `turnstile.widgets`: what has to be read before one, in which order those of the same
-- widget go, and what is done when an answer is lost. The native half (core) checks what scripts
-- pass, sends one request each, and keeps the ledger.
local new_doubt = require "tshost.doubt"
local new_freshness = require "tshost.freshness"
local holds = require "tshost.holds"
local shield = require "tshost.task_core".shield -- a lost answer is settled also in a cancelled task

local ROUND_TRIP = 2000000 -- how long a widget that was read for a write is relied on, at least
local ALL_FIELDS = 0xff -- the bits of all writable fields

-- What makes two creates the same.
local function key_of(fields)
  local domains = table.move(fields.domains, 1, #fields.domains, 1, {})
  table.sort(domains)
  return table.concat({ fields.name, fields.mode, table.concat(domains, "\n") }, "\n")
end

---The functions of one client. `fresh` is --fresh in microseconds.
local function new(core, fresh)
  local half = {}
  local freshness = new_freshness(core, fresh)
  local doubt = new_doubt(core, freshness)
  local hold = holds.new()
  local groups = {} -- key -> creates that are the same: { flying =, is_settling =, users = }
  local mine = {} -- sitekeys that were created here

  local Group, Flight, Turn = {}, {}, {}

  function Group:__close()
    self.users = self.users - 1
    if self.users == 0 then
      groups[self.key] = nil
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
    return doubt.create(fields, mine, sent, err)
  end

  function half.create(wanted)
    local fields = core.check_create(wanted)
    local key = key_of(fields)
    groups[key] = groups[key] or setmetatable({ key = key, flying = 0, users = 0 }, Group)
    local group <close> = groups[key]
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
    return live, core.now() + math.max(fresh, ROUND_TRIP)
  end

  function half.update(subject, changes)
    local sitekey, fields, bits = core.check_update(subject, changes)
    local _ <close> = hold(sitekey)
    local base, kept, widget, err
    repeat -- a write that waits for the rate budget may outlive what it relies on
      local good_until
      base, good_until = base_of(sitekey, subject, fields)
      if not base then
        return nil, good_until
      end
      kept = freshness.own_fields(sitekey, base)
      widget, err = core.put(base, fields, good_until)
    until err ~= "late"
    bits = bits | kept
    if widget then
      freshness.has_written(sitekey, widget, bits)
      return widget
    elseif widget == false then
      return base
    elseif err.outcome ~= "unknown" then
      return nil, err
    end
    return shield(doubt.update, sitekey, fields, base, bits, err)
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

  -- What can be known of a widget before its secret is rotated, without a request.
  local function evidence_of(subject)
    if type(subject) ~= "table" then
      return {}
    end
    local _, _, _, modified = core.known(subject)
    return {
      fingerprint = core.fingerprint(rawget(subject, "secret")),
      widget = subject,
      modified = modified,
      bits = ALL_FIELDS,
    }
  end

  function half.rotate_secret(subject, options)
    local sitekey, is_immediate = core.check_rotate(subject, options)
    local _ <close> = hold(sitekey)
    local before = evidence_of(subject)
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
