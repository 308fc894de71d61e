-- SPDX-License-Identifier: MIT
-- Whether a row that a script holds may be relied on without reading it again. One list ordered by
-- modified_on, newest first, shows everything that changed since the last such look, whoever changed
-- it; so one request vouches for all rows at once.
--
-- Two clocks. When something was read or looked at is told by ours, which only runs forwards. What
-- changed after it is told by the service's, of which rows give lower bounds: it had reached the
-- newest modified_on that an answer brought when the answer came, and a request's time earlier when
-- the request began.
local lx = require "tshost.lx"
local task = require "tshost.task_core"

local SLACK = 5000000 -- how far changes may come late into the list, microseconds of the service
local FEWEST, MOST, SPARE = 100, 1000, 50 -- rows in a look; spare ones are for others' changes
local PAGES = 1000
local ROUND_TRIP = 2000000 -- how long a widget that was read for a write is relied on, at least

-- The state of one client.
local function new(core, fresh)
  local self = {}
  local chain -- what looks cover: { from =, looked =, floor = }
  local is_reliable = true -- the server sorts as it is asked to
  local has_deleted = false
  local after_read = math.max(fresh, ROUND_TRIP)
  local running -- the look under way; those that wait for it stand in it

  -- One pass over the pages, newest first, until rows are older than `stop`. Gives what it showed;
  -- or nil and why not, "again" when pages this small do not reach.
  local function read_pages(stop, size)
    local shown = { changed = {} }
    local last, total = math.maxinteger, 0
    for page = 1, PAGES do
      local rows, info = core.page({ order = "modified_on", direction = "desc", per_page = size },
        page)
      if not rows then
        return nil, info.message
      end
      local per_page, news = info.per_page or size, 0
      for _, row in ipairs(rows) do
        local modified = core.time(row.modified_on)
        if type(row.sitekey) ~= "string" or not modified then
          is_reliable = false
          return nil, "a row has no modified_on"
        end
        if not shown.changed[row.sitekey] then -- those that slid from the page before come again
          if modified > last then
            is_reliable = false
            return nil, "the server does not sort by modified_on"
          end
          last, news = modified, news + 1
          shown.changed[row.sitekey] = modified
        end
      end
      if page == 1 then
        shown.start, shown.finish, shown.newest = info.start_us, info.end_us, nil
        if rows[1] then
          shown.newest = core.time(rows[1].modified_on)
        end
      elseif info.total_count and info.total_count < total then
        return nil, "widgets were deleted during the look" -- a row may have slid past us
      end
      total = info.total_count or 0
      shown.pages = page
      if last < stop then
        return shown
      elseif #rows < per_page then
        shown.is_all = true
        return shown
      elseif size < MOST then
        return nil, "again"
      elseif news == 0 then
        is_reliable = false
        return nil, "the server sends the same page again and again"
      end
    end
    return nil, "the list does not end"
  end

  -- Looks for all changes since the service's clock said `floor`, which was at `since`.
  local function look(since, floor)
    local target, from = floor, since
    if chain then
      target, from = math.min(chain.floor, floor), math.min(chain.from, since)
    end
    local stop = target - SLACK
    local size = math.min(math.max(core.recent(stop) + SPARE, FEWEST), MOST)
    local shown, why = read_pages(stop, size)
    if why == "again" then
      shown, why = read_pages(stop, MOST)
    end
    if shown and not shown.is_all and shown.newest < target and not has_deleted then
      is_reliable = false
      shown, why = nil, "the newest row is older than one that was seen before"
    end
    if not shown then
      lx.verbose("look at what changed: " .. why .. "; widgets are read one by one")
      return false
    end
    local count = 0
    for sitekey, modified in pairs(shown.changed) do
      count = count + 1
      if modified >= stop then
        core.has_changed(sitekey, modified)
      end
    end
    local reached = shown.newest and shown.newest - (shown.finish - shown.start) or target
    chain = { from = from, looked = shown.start, floor = math.max(target, reached) }
    core.has_looked(chain.from, chain.looked)
    lx.verbose(("look at what changed: %d rows"):format(count))
    return true
  end

  local Look = {}

  -- All that wait are woken, and look again whether it is over.
  function Look.__close(over)
    running = nil
    over.is_over = true
    for _, waiter in ipairs(over) do
      task.wake(waiter)
    end
  end

  -- The look that others wait for too. Whether it came to an end that can be relied on.
  local function look_together(since, floor)
    local other = running
    if other then
      while not other.is_over do
        other[#other + 1] = task.self()
        task.park()
      end
      return other.is_good
    end
    local mine <close> = setmetatable({}, Look)
    running = mine
    mine.is_good = look(since, floor)
    return mine.is_good
  end

  ---Until when the widget in the script's hands may be relied on, nil when it may not. May look;
  ---the answer is about the widget as it is until the next wait.
  function self.good_until(sitekey, widget)
    local good, since, floor = core.trust(sitekey, widget)
    if good == false and is_reliable and look_together(since, floor) then
      good = core.trust(sitekey, widget)
    end
    return good or nil
  end

  ---Until when a widget may be relied on that has just been read for a write.
  function self.good_after_read()
    return core.now() + after_read
  end

  function self.has_deleted(sitekey)
    has_deleted = true
    core.distrust(sitekey, true)
  end

  return self
end

return new
