-- SPDX-License-Identifier: MIT
-- The project speaks of itself alone: no paths of one machine, no hosts of one network, no marks
-- of unfinished work. Patterns are broken up so that this file does not find itself.
local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/?.lua;" .. package.path
local source = require("source")

local rules = {
  -- Directories that exist only where somebody happens to work.
  { "[^%w_.%-/$%]}~]/[w]ork/", "a path of one machine" },
  { "[^%w_.%-/$%]}~]/[w]orkspace/", "a path of one machine" },
  { "[^%w_.%-/$%]}~]/[h]ome/%w", "a path of one machine" },
  { "[^%w_.%-/$%]}~]/[r]oot/", "a path of one machine" },
  { "[^%w_.%-/$%]}~]/[U]sers/%w", "a path of one machine" },
  { "[^%w_.%-/$%]}~]/[t]mp/%w%w?/", "a path of one machine" },
  -- Where packages came from is the business of the machine that fetched them.
  { "[h]ttps?://[^/%s\"']*registry", "the host of a package registry" },
  { "[h]ttps?://[^/%s\"']*artifactory", "the host of a package registry" },
  { "[h]ttps?://[^/%s\"']*mirror", "the host of a package mirror" },
  { "[h]ttps?://[^/%s\"']*proxy%.", "the host of a proxy" },
  { "\"[r]esolved\"%s*:", "where a package was fetched; npm: omit-lockfile-registry-resolved" },
  { "[i]ndex%-url", "the host of a package registry" },
  -- Work to be done is done or told in words that a user understands.
  { "%f[%w_][T]ODO%f[^%w_]", "unfinished work" },
  { "%f[%w_][F]IXME%f[^%w_]", "unfinished work" },
  { "%f[%w_][X]XX%f[^%w_]", "unfinished work" },
}

local function is_text(text)
  return not text:sub(1, 8192):find("\0", 1, true)
end

for _, path in ipairs(source.files("")) do
  local text = source.read(path)
  if is_text(text) then
    for line, code in source.lines(text) do
      for _, rule in ipairs(rules) do
        local found = (" " .. code):match(rule[1])
        if found then
          source.report(path, line, "%s: '%s'", rule[2], found:match("^%s*(.*)"))
        end
      end
    end
  end
end
source.finish()
