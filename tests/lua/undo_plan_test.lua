-- SPDX-License-Identifier: MIT
-- What operations come to for each widget, and the step that takes it back.
local lu = require "luaunit"
local undo_plan = require "tshost.program.undo_plan"

local TestUndoPlan = {}

local number = 0

local function row(op, before, after, more)
  number = number + 1
  local made = { operation = number, op = op, state = "done", sitekey = "k", before = before, after = after }
  for name, value in pairs(more or {}) do
    made[name] = value
  end
  return made
end

local function fields(name, mode, domains)
  return { name = name, mode = mode or "managed", domains = domains or { "a.example" } }
end

-- The step for the only widget of these rows, as it is now.
local function step_of(rows, live)
  local widgets = undo_plan.fold(rows)
  lu.assertEquals(#widgets, 1)
  return undo_plan.step(widgets[1], live)
end

function TestUndoPlan.testUpdatesFoldIntoOne()
  local step = step_of({
    row("update", fields "a", fields "b"),
    row("update", fields "b", fields("b", "invisible")),
    row("update", fields("b", "invisible"), fields("c", "invisible")),
  }, fields("c", "invisible", { "others.example" }))
  lu.assertEquals(step.op, "update")
  lu.assertEquals(step.set, { name = "a", mode = "managed" })
  lu.assertEquals(step.saw, { name = "c", mode = "invisible" })
end

function TestUndoPlan.testWhatOthersMadeBetweenTwoUpdatesComesBack()
  local step = step_of({
    row("update", fields "a", fields "b"),
    row("update", fields "theirs", fields "c"),
  }, fields "c")
  lu.assertEquals(step.set, { name = "theirs" })
end

function TestUndoPlan.testWhatTheRunHasPutBackItselfIsNotLookedAt()
  local step, conflict = step_of({
    row("update", fields "a", fields "b"),
    row("update", fields "b", fields "a"),
  }, fields "theirs")
  lu.assertNil(step)
  lu.assertNil(conflict)
end

function TestUndoPlan.testOneConflictHoldsAllOfTheWidgetBack()
  local rows = { row("update", fields "a", fields("b", "invisible")) }
  local step, conflict = step_of(rows, fields("theirs", "invisible"))
  lu.assertNil(step)
  lu.assertEquals(conflict, 'changed since: `name` is "theirs", expected "b"')
end

function TestUndoPlan.testAFieldThatIsBackIsNoConflict()
  local step = step_of({ row("update", fields "a", fields("b", "invisible")) }, fields("a", "invisible"))
  lu.assertEquals(step.set, { mode = "managed" })
  lu.assertEquals(step.saw, { name = "a", mode = "invisible" })
end

function TestUndoPlan.testWhatWasCreatedIsDeletedAsItWasLeft()
  local rows = { row("create", nil, fields "a"), row("update", fields "a", fields "b") }
  lu.assertEquals(step_of(rows, fields "b").op, "delete")
  local step, conflict = step_of(rows, fields "a")
  lu.assertNil(step)
  lu.assertStrContains(conflict, "changed since")
  lu.assertEquals({ step_of(rows, nil) }, {})
end

function TestUndoPlan.testAWidgetThatIsGone()
  local _, conflict = step_of({ row("update", fields "a", fields "b") }, nil)
  lu.assertEquals(conflict, "deleted since")
end

function TestUndoPlan.testTheAnswerThatWasLostIsWhatWasSent()
  local step = step_of({ row("update", fields "a", nil, { body = fields "b" }) }, fields "b")
  lu.assertEquals(step.set, { name = "a" })
end

function TestUndoPlan.testWhatIsNotKnownIsTold()
  local sent = fields "a"
  sent.offlabel = true
  local widgets = undo_plan.fold { row("update", fields "a", sent, { body = sent }) }
  lu.assertEquals(undo_plan.lost(widgets[1]), { "`offlabel`: what it was is not known" })
end

function TestUndoPlan.testWhatDoesNotComeBack()
  local widgets = undo_plan.fold {
    row("delete", fields "a", nil, { sitekey = "gone" }),
    row("create", nil, fields "b", { sitekey = "brief" }),
    row("delete", fields "b", nil, { sitekey = "brief" }),
    row("rotate", nil, nil, { sitekey = "turned", body = { invalidate_immediately = true } }),
  }
  local lost = {}
  for _, widget in ipairs(widgets) do
    lu.assertFalse(undo_plan.needs_live(widget))
    lost[widget.sitekey] = undo_plan.lost(widget)[1] or ""
  end
  lu.assertStrContains(lost.gone, "deleted")
  lu.assertEquals(lost.brief, "")
  lu.assertStrContains(lost.turned, "rotated at once")
end

function TestUndoPlan.testTheLastWriteComesFirst()
  local widgets, deliveries, doubts = undo_plan.fold {
    row("update", fields "a", fields "b", { sitekey = "first" }),
    row("update", fields "a", fields "b", { sitekey = "second" }),
    row("write", nil, nil, { sitekey = "first", body = { path = "/x" } }),
    row("update", fields "b", fields "c", { sitekey = "first" }),
    row("update", fields "b", fields "c", { sitekey = "second", state = "not_applied" }),
    row("update", fields "b", fields "c", { sitekey = "second", state = "unknown" }),
  }
  lu.assertEquals({ widgets[1].sitekey, widgets[2].sitekey, #widgets }, { "first", "second", 2 })
  lu.assertEquals({ #deliveries, #doubts }, { 1, 1 })
end

os.exit(lu.LuaUnit.new():runSuiteByInstances { { "TestUndoPlan", TestUndoPlan } })
