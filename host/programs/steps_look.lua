-- SPDX-License-Identifier: MIT
-- What steps rely on, read before the first of them begins: the widgets that they are to change, and
-- those that somebody else has made in the meantime.
local lx = require "tshost.lx"
local run = require "tshost.run"
local timestamp = require "timestamp"
local turnstile = require "turnstile"

local steps_look = {}

local PER_PAGE = 1000

-- The writes of an account, and its reads; nil: the configured one.
function steps_look.clients()
  local known = {}
  return function(account)
    local name = account or ""
    if not known[name] then
      local is_configured = not account or account == run.account()
      local widgets = is_configured and turnstile.widgets
        or turnstile.client { account_id = account }.widgets
      known[name] = { widgets = widgets, writes = run.writes(widgets) }
    end
    return known[name]
  end
end

-- The sitekeys, by account, whose rows spare a read each; those of rotations are read all the same,
-- as only a single widget has its secret.
local function wanted_rows(list, done)
  local wanted, counts, made = {}, {}, {}
  for i, step in ipairs(list) do
    made[step.new or ""] = true
    if not done[i] and (step.op == "update" or step.op == "delete") and not made[step.sitekey] then
      local account = step.account or ""
      wanted[account] = wanted[account] or {}
      if not wanted[account][step.sitekey] then
        wanted[account][step.sitekey] = true
        counts[account] = (counts[account] or 0) + 1
      end
    end
  end
  return wanted, counts
end

-- One list in place of a read for each widget, as far as it is the cheaper.
local function read_rows(client, wanted, count, rows)
  local seen, left = 0, count
  if count == 1 then
    local sitekey = next(wanted)
    local err
    rows[sitekey], err = client.widgets.get(sitekey)
    if err and not (err.kind == "api" and err.status == 404) then
      error(err, 0)
    end
    return
  end
  for widget in client.widgets.list() do
    if wanted[widget.sitekey] then
      rows[widget.sitekey] = widget
      left = left - 1
    end
    seen = seen + 1
    if left == 0 or seen >= PER_PAGE * count then
      break
    end
  end
end

---Names of widgets that could be taken for each other are the same.
---@param account string
---@param widget table
---@return string
function steps_look.twin_key(account, widget)
  local domains = {}
  for i, domain in ipairs(widget.domains or {}) do
    domains[i] = tostring(domain):lower()
  end
  table.sort(domains)
  return table.concat({ account, tostring(widget.name), tostring(widget.mode),
    table.concat(domains, " ") }, "\0")
end

-- A time of the API as a number.
local function moment(text)
  local seconds = timestamp.parse(tostring(text))
  return seconds and seconds + (tonumber(text:match "%.%d+") or 0)
end

-- The widgets made since the plan by somebody else that are what a step is to make.
local function read_twins(client, account, names, since, known, twins)
  for widget in client.widgets.list { order = "created_on", direction = "desc", per_page = 50 } do
    local created = moment(widget.created_on)
    if not created or created < since then
      break
    end
    local key = steps_look.twin_key(account, widget)
    if names[key] and not known[widget.sitekey] then
      twins[key] = widget.sitekey
    end
  end
end

---Reads what the steps rely on, as far as that can be done for many at once, and something in any
---case: what keeps all writes from being made (the lock, the token, the network) shows here. Raises
---what a list raises when it cannot be read.
---@param list steps.step[]
---@param options? { done: table?, sitekeys: table?, since: string? } `since`: when the plan was made
---@return { rows: table, twins: table }
function steps_look.read(list, options)
  options = options or {}
  local done, client_of = options.done or {}, steps_look.clients()
  local found = { rows = {}, twins = {} }
  local _, fresh = run.settings()
  local names, known, has_read = {}, {}, false
  for _, sitekey in pairs(options.sitekeys or {}) do
    known[sitekey] = true
  end
  for i, step in ipairs(list) do
    if step.op == "create" and not done[i] then
      local account = step.account or ""
      names[account] = names[account] or {}
      names[account][steps_look.twin_key(account, step.set)] = true
    end
  end
  local wanted, counts = wanted_rows(list, done)
  for account, sitekeys in pairs(wanted) do
    if fresh > 0 then
      local client = client_of(account ~= "" and account or nil)
      read_rows(client, sitekeys, counts[account], found.rows)
      has_read = true
    end
  end
  if options.since then
    for account, keys in pairs(names) do
      local client = client_of(account ~= "" and account or nil)
      read_twins(client, account, keys, moment(options.since), known, found.twins)
      has_read = true
    end
  end
  if not has_read and #list > 0 then -- whether the account can be reached, and nobody else writes
    client_of(list[1].account).widgets.list({ per_page = 5 })()
  end
  return found
end

return lx.seal("steps_look", steps_look)
