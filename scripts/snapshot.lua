-- SPDX-License-Identifier: MIT
-- Dumps all widgets of the account, without secrets: sorted, so that the same fleet gives the same
-- text.
local log = require "log"
local snapshot_file = require "snapshot_file"
local turnstile = require "turnstile"
local usage = require "usage"

local parser = usage.parser("tshost snapshot.lua", "Dumps all widgets of the account, without secrets.")
parser:option("-o --output", "File that it is written to, in place of standard output; it is replaced "
  .. "as a whole or not at all."):argname("FILE")
local args = parser:parse(arg)

local CANNOT_WRITE = 1

local fleet = turnstile.widgets.all()
local text = snapshot_file.encode(fleet)
if args.output then
  local is_written, problem = snapshot_file.write(args.output, text)
  if not is_written then
    io.stderr:write("tshost snapshot.lua: cannot write ", problem, "\n")
    os.exit(CANNOT_WRITE)
  end
else
  io.write(text)
end
log.note(#fleet == 1 and "1 widget" or ("%d widgets"):format(#fleet))
