-- SPDX-License-Identifier: MIT
-- Does one write of a kind for every sitekey in its arguments, each after a read that has left an
-- open connection behind, and tells as JSON how each one went.
local cjson = require "cjson"
local turnstile = require "turnstile"

local widgets = turnstile.widgets
local WARM = "0x4AAAAAAAAAAAAAAAAWARM"

local write = {
  create = function(sitekey)
    return widgets.create{ name = sitekey, domains = { "acme.example" }, mode = "managed" }
  end,
  update = function(sitekey) return widgets.update(sitekey, { name = "new " .. sitekey }) end,
  delete = widgets.delete,
  rotate = function(sitekey)
    return widgets.rotate_secret(sitekey, { invalidate_immediately = false })
  end,
}

local kind = arg[1]
for i = 2, #arg do
  assert(widgets.get(WARM))
  local ok, err = write[kind](arg[i])
  print(cjson.encode{ ok = ok and true or false, kind = err and err.kind, text = err and tostring(err) })
end
