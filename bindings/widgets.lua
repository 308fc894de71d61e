-- SPDX-License-Identifier: MIT
-- The writes of `turnstile.widgets`: what has to be read before one, in which order those of the same
-- widget go, and what is done when an answer is lost. The native half (core) checks what scripts
-- pass, sends one request each, and keeps the ledger.
local new_doubt = require "tshost.doubt"
local new_freshness = require "tshost.freshness"
local shield = require "tshost.task_core".shield -- a lost answer is settled also in a cancelled task

local LATE_TRIES = 4 -- of an update that cannot begin in time, once it has the turn
local ALL_FIELDS = 0xff -- the bits of all writable fields

local mine = {} -- sitekeys that were created here; of all clients, which may be of the same account

---The functions of one client. `fresh` is --fresh in microseconds.
local function new(core, fresh)
  local half = { core = core }
  local freshness = new_freshness(core, fresh)
  local doubt = new_doubt(core, freshness)
  local late_turn = tostring(core) -- each client's own, as their rate budgets are

  -- Settles a create. A widget that is found may be anybody's who has sent the same and has no answer
  -- yet: so all creates of the name land first, and they settle one after the other.
  local function settle_create(changes, sent, err)
    local name = core.name_of(changes)
    core.release(changes)
    local _ <close> = core.hold("name", name)
    return doubt.create(name, changes, mine, sent, err)
  end

  function half.create(wanted)
    local changes <close> = core.begin_create(wanted)
    local widget, err, sent = core.create(changes)
    if not widget and err.outcome == "unknown" then
      widget, err = shield(settle_create, changes, sent, err)
    end
    if not widget then
      return nil, err
    end
    mine[widget.sitekey] = true
    return widget
  end

  -- The widget that an update is put over, the script's own when a look shows that it can be relied
  -- on, else read; and until when it may be relied on.
  local function base_of(sitekey, subject, changes)
    local is_row = subject ~= sitekey -- of a bare sitekey nothing is known
    local good_until = is_row and freshness.good_until(sitekey, subject)
    if good_until then
      return subject, good_until
    end
    local live, problem = core.read(sitekey)
    if not live then
      return nil, problem
    end
    local field = is_row and core.known(subject)
      and core.stale_field(subject, live, changes, core.own_fields(sitekey, live))
    if field then
      local _, err = core.stale(sitekey,
        ("somebody else has changed `%s` since it was read; nothing was sent"):format(field))
      err.expected, err.actual, err.attempts = subject, live, 1
      return nil, err
    end
    return live, freshness.good_after_read()
  end

  -- Sends an update over what can be relied on; `false, "late"` when it could not begin by then. The
  -- third result is the bits of the fields that are our own if it was applied, the fourth what it was
  -- put over.
  local function send_update(sitekey, subject, changes)
    local base, good_until = base_of(sitekey, subject, changes)
    if not base then
      return nil, good_until
    end
    local widget, err, bits = core.put(base, changes, good_until)
    return widget, err, bits, base
  end

  -- A write that waits for the rate budget may outlive what it relies on. Those that did go one at a
  -- time: else they could use up the budget with reading, again and again.
  local function send_late_update(sitekey, subject, changes)
    local _ <close> = core.hold("late", late_turn)
    for _ = 1, LATE_TRIES do
      local widget, err, bits, base = send_update(sitekey, subject, changes)
      if err ~= "late" then
        return widget, err, bits, base
      end
    end
    return core.starved(sitekey, "not sent: the rate budget let it not begin soon enough after the "
      .. "widget had been read; a higher --rate or --fresh lets it")
  end

  function half.update(subject, wanted)
    local changes <close> = core.begin_update(subject, wanted)
    local base = subject
    local widget, err, bits = core.put_known(subject, changes)
    if widget then
      return widget
    end
    local sitekey = core.sitekey_of(changes, subject)
    if err == "unknown" then
      widget, err, bits, base = send_update(sitekey, subject, changes)
    end
    if err == "late" then
      widget, err, bits, base = send_late_update(sitekey, subject, changes)
    end
    if widget then
      return widget
    elseif widget == false then
      return base
    elseif err.outcome ~= "unknown" then
      return nil, err
    end
    return shield(doubt.update, sitekey, changes, base, bits, err)
  end

  function half.delete(subject)
    local sitekey = core.check_delete(subject)
    local _ <close> = core.hold("sitekey", sitekey)
    local is_done, err = core.delete(sitekey, nil, subject)
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
    local _ <close> = core.hold("sitekey", sitekey)
    local before = evidence_of(sitekey, subject)
    local widget, err, sent = core.rotate(sitekey, is_immediate, nil, before.widget)
    if widget then
      return widget
    elseif err.outcome ~= "unknown" then
      return nil, err
    end
    return shield(doubt.rotate, sitekey, is_immediate, before, sent, err)
  end

  return half
end

return new
