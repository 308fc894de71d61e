-- SPDX-License-Identifier: MIT
-- The writes of `turnstile.widgets`: what has to be read before one, in which order those of the same
-- widget go, and what is done when an answer is lost. The native half (core) checks what scripts
-- pass, sends one request each, and keeps the ledger.
--
-- Programs that carry out a plan (host/programs) pass `expect`, the fields as the plan saw them: the
-- write is sent only over a widget that has them so, and not over one that was compared too long ago.
local new_doubt = require "tshost.doubt"
local expectation = require "tshost.expectation"
local new_freshness = require "tshost.freshness"
local shield = require "tshost.task_core".shield -- a lost answer is settled also in a cancelled task

local LATE_TRIES = 4 -- of a write that cannot begin in time, once it has the turn
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

  -- The write is not sent: the widget is no longer as the plan saw it.
  local function stale(op, sitekey, expect, live, why)
    local _, err = core.stale(sitekey, why .. "; nothing was sent", op)
    err.expected, err.actual, err.attempts = expect, live, 1
    return nil, err
  end

  -- The widget that a write of a plan goes over, which is as the plan saw it: the row when a look
  -- shows that it can be relied on, else read; and until when it may be relied on.
  local function base_expected(op, sitekey, subject, expect)
    local live = subject
    local good_until = subject ~= sitekey and freshness.good_until(sitekey, subject)
    if not good_until then
      local problem
      live, problem = core.peek(sitekey)
      if not live and problem.kind == "api" and problem.status == 404 then
        return stale(op, sitekey, expect, nil, "it has been deleted")
      elseif not live then
        live, problem = core.read(sitekey, op) -- again, as the write's own failure
      end
      if not live then
        return nil, problem
      end
      core.has_read(sitekey, live)
      good_until = freshness.good_after_read()
    end
    local names = expectation.differing(expect, live)
    if names then
      local why = "somebody else has changed it: " .. expectation.told(names, expect, live)
      return stale(op, sitekey, expect, live, why)
    end
    return live, good_until
  end

  -- The widget that an update is put over, the script's own when a look shows that it can be relied
  -- on, else read; and until when it may be relied on.
  local function base_of(sitekey, subject, changes)
    local is_row = subject ~= sitekey -- of a bare sitekey nothing is known
    local good_until = is_row and freshness.good_until(sitekey, subject)
    if good_until then
      return subject, good_until
    end
    local live, problem = core.read(sitekey, "update")
    if not live then
      return nil, problem
    end
    local field = is_row and core.known(subject)
      and core.stale_field(subject, live, changes, core.own_fields(sitekey, live))
    if field then
      local _, err = core.stale(sitekey,
        ("somebody else has changed `%s` since it was read; nothing was sent"):format(field),
        "update")
      err.expected, err.actual, err.attempts = subject, live, 1
      return nil, err
    end
    return live, freshness.good_after_read()
  end

  -- Sends an update over what can be relied on; `false, "late"` when it could not begin by then. The
  -- third result is the bits of the fields that are our own if it was applied, the fourth what it was
  -- put over.
  local function send_update(sitekey, subject, changes, expect)
    local base, good_until
    if expect then
      base, good_until = base_expected("update", sitekey, subject, expect)
    else
      base, good_until = base_of(sitekey, subject, changes)
    end
    if not base then
      return nil, good_until
    end
    local widget, err, bits = core.put(base, changes, good_until)
    return widget, err, bits, base
  end

  -- A write that waits for the rate budget may outlive what it relies on. Those that did go one at a
  -- time: else they could use up the budget with reading, again and again. `send` sends it.
  local function send_late(op, sitekey, send, ...)
    local _ <close> = core.hold("late", late_turn)
    for _ = 1, LATE_TRIES do
      local result, err, more, base = send(sitekey, ...)
      if err ~= "late" then
        return result, err, more, base
      end
    end
    return core.starved(sitekey, "not sent: the rate budget or a slow disk held it up for too long "
      .. "after the widget had been read; a higher --rate or --fresh lets it begin", op)
  end

  function half.update(subject, wanted, expect)
    local changes <close> = core.begin_update(subject, wanted)
    local base = subject
    local widget, err, bits = nil, "unknown", nil
    if not expect then
      widget, err, bits = core.put_known(subject, changes)
    end
    if widget then
      return widget
    end
    local sitekey = core.sitekey_of(changes, subject)
    if err == "unknown" then
      widget, err, bits, base = send_update(sitekey, subject, changes, expect)
    end
    if err == "late" then
      widget, err, bits, base = send_late("update", sitekey, send_update, subject, changes, expect)
    end
    if widget then
      return widget
    elseif widget == false then
      return base
    elseif err.outcome ~= "unknown" then
      return nil, err
    end
    return shield(doubt.update, sitekey, changes, base, bits, err, expect)
  end

  local function send_delete(sitekey, subject, expect)
    local base, good_until = subject, nil
    if expect then
      base, good_until = base_expected("delete", sitekey, subject, expect)
      if not base then
        return nil, good_until
      end
    end
    return core.delete(sitekey, nil, base, good_until)
  end

  function half.delete(subject, expect)
    local sitekey = core.check_delete(subject)
    local _ <close> = core.hold("sitekey", sitekey)
    local is_done, err = send_delete(sitekey, subject, expect)
    if err == "late" then
      is_done, err = send_late("delete", sitekey, send_delete, subject, expect)
    end
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

  -- The fourth result is what was known before.
  local function send_rotate(sitekey, subject, is_immediate, expect)
    local good_until
    if expect then
      subject, good_until = base_expected("rotate", sitekey, subject, expect)
      if not subject then
        return nil, good_until
      end
    end
    local before = evidence_of(sitekey, subject)
    local widget, err, sent = core.rotate(sitekey, is_immediate, nil, before.widget, good_until)
    return widget, err, sent, before
  end

  function half.rotate_secret(subject, options, expect)
    local sitekey, is_immediate = core.check_rotate(subject, options)
    local _ <close> = core.hold("sitekey", sitekey)
    local widget, err, sent, before = send_rotate(sitekey, subject, is_immediate, expect)
    if err == "late" then
      widget, err, sent, before =
        send_late("rotate", sitekey, send_rotate, subject, is_immediate, expect)
    end
    if widget then
      return widget
    elseif err.outcome ~= "unknown" then
      return nil, err
    end
    return shield(doubt.rotate, sitekey, is_immediate, before, sent, err)
  end

  ---Notes a write that is not carried out, because somebody else has changed what it is about. Of a
  ---create the subject is a name, else a sitekey.
  function half.refuse(op, subject, why)
    return core.stale(subject, why, op)
  end

  return half
end

return new
