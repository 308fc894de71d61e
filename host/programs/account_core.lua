-- SPDX-License-Identifier: MIT
-- What reads the widgets of an account. Opening it keeps other runs out of the account.
local run = require "tshost.run"
local turnstile = require "turnstile"

local cores = {} -- by account

---@param account? string nil: the configured one
---@return table core what bindings/widgets.lua stands on, opened
return function(account)
  local configured = run.account()
  local key = account or configured or ""
  if not cores[key] then
    local is_other = account and account ~= configured
    local widgets = is_other and turnstile.client { account_id = account }.widgets or turnstile.widgets
    local core = run.writes(widgets).core
    core.account() -- opens the client
    cores[key] = core
  end
  return cores[key]
end
