# SPDX-License-Identifier: MIT
"""Writes whose answer is lost: each operation with each fault ends as it was meant, applied exactly
once, with status 0. Where that cannot be told, it is said."""

import json
import signal
import unittest

from host import ACCOUNT, Case, Sandbox

# How an answer is lost, and whether the operation was carried out before.
FAULTS = {
    "the reply never comes": {"kind": "drop", "applied": True},
    "the request is dropped": {"kind": "drop", "applied": False},
    "a gateway fails before": {"kind": "502", "applied": False},
    "a gateway fails behind": {"kind": "502", "applied": True},
    "the reply is cut": {"kind": "truncate"},
}
WRITES = ("create", "update", "delete", "rotate")
ALLOW = ("--allow", "delete=1,rotate=1")

CREATE = """
  local w = assert(widgets.create { name = 'new', domains = { 'new.example' }, mode = 'managed' })
  assert(w.secret)
  print(w.sitekey)"""
UPDATE = """
  for w in widgets.list() do
    local new = assert(widgets.update(w, { domains = { add = { 'more.example' } } }))
    assert(new.secret and #new.domains == 2)
    print(new.sitekey)
  end"""
DELETE = "for _, w in ipairs(widgets.all()) do assert(widgets.delete(w)) end"
ROTATE = """
  for w in widgets.list() do
    local new = assert(widgets.rotate_secret(w))
    assert(new.secret == assert(widgets.get(w)).secret)
    print(new.sitekey)
  end"""
ROTATE_SITEKEY = """
  local key = widgets.all()[1].sitekey
  local new = assert(widgets.rotate_secret(key))
  assert(new.secret == assert(widgets.get(key)).secret)"""
ROTATE_HANDLE = """
  local w = assert(widgets.get(widgets.all()[1]))
  local new = assert(widgets.rotate_secret(w))
  assert(new.secret ~= w.secret and new.secret == assert(widgets.get(w)).secret)"""


class Settle(Case):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox())

    def clean(self):
        self.sandbox.ask("DELETE", "/sandbox/faults")
        self.sandbox.ask("DELETE", "/sandbox/requests")

    def run_with(self, code, operation, *options, times=1, **fault):
        self.clean()
        self.sandbox.fault(op=operation, times=times, **fault)
        return self.lua(code, *ALLOW, "--verbose", *options, sandbox=self.sandbox)

    def applied(self, operation, fault):
        """How many requests of that kind were carried out."""
        statuses = [status for _, status in self.sandbox.requests(operation)]
        lost = statuses[0] != 200
        is_applied = fault.get("applied", True)
        return sum(status == 200 for status in statuses) + (1 if lost and is_applied else 0)

    def check(self, done, operation, fault):
        self.assert_status(done, 0)
        self.assertIn("1 settled by reading", done.err)
        self.assertNotIn("in doubt", done.err)
        self.assertEqual(self.applied(operation, fault), 1, self.sandbox.requests())

    def test_create(self):
        for name, fault in FAULTS.items():
            with self.subTest(name), Sandbox() as self.sandbox:
                done = self.run_with(CREATE, "create", **fault)
                self.check(done, "create", fault)
                self.assertEqual([done.out.strip()],
                                 [w["sitekey"] for w in self.sandbox.widgets()])
                self.assertIn("1 created", done.err)

    def test_update(self):
        for name, fault in FAULTS.items():
            with self.subTest(name), Sandbox() as self.sandbox:
                made = self.sandbox.create()
                done = self.run_with(UPDATE, "update", **fault)
                self.check(done, "update", fault)
                self.assertEqual(done.out.strip(), made["sitekey"])
                self.assertEqual(self.sandbox.widgets()[0]["domains"],
                                 ["acme.example", "more.example"])
                self.assertIn("1 updated", done.err)

    def test_delete(self):
        for name, fault in FAULTS.items():
            with self.subTest(name):
                self.sandbox.create()
                done = self.run_with(DELETE, "delete", **fault)
                self.check(done, "delete", fault)
                self.assertEqual(self.sandbox.widgets(), [])
                self.assertIn("1 deleted", done.err)

    def test_rotate(self):
        for code in (ROTATE, ROTATE_SITEKEY, ROTATE_HANDLE):
            for name, fault in FAULTS.items():
                with self.subTest(name), Sandbox() as self.sandbox:
                    self.sandbox.create()
                    done = self.run_with(code, "rotate", **fault)
                    self.check(done, "rotate", fault)
                    self.assertIn("1 rotated", done.err)

    def test_a_rotation_that_nothing_tells_of(self):
        """By its sitekey alone, when it could not be read before: anybody may have changed the widget."""
        made = self.sandbox.create()
        code = f"""
          local w, err = widgets.rotate_secret '{made["sitekey"]}'
          assert(not w and err.outcome == 'unknown' and err.op == 'rotate_secret')
          assert(err.actual.secret == assert(widgets.get '{made["sitekey"]}').secret)"""
        self.clean()
        self.sandbox.fault(op="rotate", kind="drop")
        self.sandbox.fault(op="get", kind="502", times=5)
        done = self.lua(code, *ALLOW, sandbox=self.sandbox)
        self.assert_status(done, 10)
        self.assertEqual(self.applied("rotate", {}), 1)
        self.assertIn("whether it was rotated cannot be told", done.err)

    def test_a_rotation_by_sitekey_is_read_before_when_it_is_allowed(self):
        made = self.sandbox.create()
        code = f"print(widgets.rotate_secret '{made['sitekey']}')"
        self.clean()
        self.assert_status(self.lua(code, sandbox=self.sandbox), 5)
        self.assertEqual(self.sandbox.requests(), [])
        self.assert_status(self.lua(code, *ALLOW, sandbox=self.sandbox), 0)
        self.assertEqual([operation for operation, _ in self.sandbox.requests()], ["get", "rotate"])

    def test_a_rotation_that_surely_was_not_applied(self):
        """The widget has not been touched since long before."""
        made = self.sandbox.create()
        self.sandbox.ask("POST", f"/sandbox/accounts/{ACCOUNT}/widgets", {"result": [
            {**self.sandbox.widgets()[0], "modified_on": "2026-01-02T03:04:05.678Z"}]})
        code = f"assert(widgets.rotate_secret '{made['sitekey']}')"
        done = self.run_with(code, "rotate", kind="502")
        self.check(done, "rotate", {"applied": False})

    def test_an_update_is_not_sent_for_ever(self):
        self.sandbox.create()
        done = self.run_with("""
          local w, err = widgets.update(widgets.all()[1], { name = 'never' })
          assert(not w and err.outcome == 'not_applied')
          print(err.attempts)""", "update", kind="502", times=100)
        self.assert_status(done, 4)
        self.assertEqual(len(self.sandbox.requests("update")), 4)
        self.assertEqual(done.out, "8\n")  # four writes, a reading after each
        self.assertIn("1 failed, 4 settled by reading", done.err)
        self.assertIn("it was not applied", done.err)
        self.assertEqual(self.sandbox.widgets()[0]["name"], "acme")

    def test_the_last_answer_that_is_lost_is_settled_too(self):
        """Three times dropped, and the fourth time carried out."""
        for operation, code in (("update", UPDATE), ("delete", DELETE), ("create", CREATE)):
            with self.subTest(operation), Sandbox() as self.sandbox:
                if operation != "create":
                    self.sandbox.create()
                self.clean()
                self.sandbox.fault(op=operation, kind="drop", times=3, applied=False)
                self.sandbox.fault(op=operation, kind="drop", times=1, applied=True)
                done = self.lua(code, *ALLOW, sandbox=self.sandbox)
                self.assert_status(done, 0)
                self.assertEqual(len(self.sandbox.requests(operation)), 4)
                self.assertIn("4 settled by reading", done.err)

    def test_what_cannot_be_read_stays_unknown(self):
        self.sandbox.create()
        self.clean()
        self.sandbox.fault(op="update", kind="drop")
        self.sandbox.fault(op="get", kind="502", times=1000)
        done = self.lua("""
          local w, err = widgets.update(widgets.all()[1], { name = 'who knows' })
          assert(not w and err.outcome == 'unknown')""", "--max-wait", "0.2",
                        sandbox=self.sandbox)
        self.assert_status(done, 10)
        self.assertEqual(len(self.sandbox.requests("update")), 1)

    def test_a_widget_that_somebody_else_made_is_not_adopted(self):
        """It has the same name, domains and mode, but it was there before."""
        self.sandbox.create("new", ["new.example"])
        code = "for w in widgets.list() do print(w.sitekey) end " + CREATE
        done = self.run_with(code, "create", kind="502")
        self.assert_status(done, 0)
        self.assertEqual(len(set(done.out.split())), 2, done)
        self.assertEqual(len(self.sandbox.widgets()), 2)

    def test_creates_that_are_alike(self):
        """Every one of them gets a widget of its own, whichever answers are lost."""
        code = """
          local made = {}
          task.each({ 1, 2, 3, 4, 5, 6, 7, 8 }, function()
            local w = assert(widgets.create {
              name = 'twin', domains = { 'b.example', 'a.example' }, mode = 'invisible' })
            assert(not made[w.sitekey])
            made[w.sitekey] = true
          end, { concurrency = 8 })"""
        for applied in (False, True):
            with self.subTest(applied), Sandbox() as self.sandbox:
                self.clean()
                self.sandbox.fault(op="create", kind="drop", nth=2, times=1, applied=applied)
                self.sandbox.fault(op="create", kind="502", nth=5, times=2, applied=False)
                done = self.lua(code, sandbox=self.sandbox)
                self.assert_status(done, 0)
                self.assertEqual(len(self.sandbox.widgets()), 8)

    def test_two_lost_creates_that_are_alike(self):
        """Two widgets stand for two lost answers: which is whose does not matter, but it is not told
        which of more there are."""
        code = """
          task.each({ 1, 2 }, function()
            local w, err = widgets.create {
              name = 'twin', domains = { 'a.example' }, mode = 'managed' }
            print(w and w.sitekey or err.message)
          end)"""
        done = self.run_with(code, "create", kind="drop", times=2)
        self.assertEqual(len(self.sandbox.widgets()), 2, done)
        for widget in self.sandbox.widgets():
            self.assertIn(widget["sitekey"], done.out)
            self.assertIn(widget["sitekey"], done.err)

    def test_creates_that_are_alike_of_two_clients(self):
        """One is lost before it is carried out; what it finds then belongs to the other client."""
        code = f"""
          local other = turnstile.client {{ account_id = '{ACCOUNT}' }}.widgets
          local fields = {{ name = 'twin', domains = {{ 'a.example' }}, mode = 'managed' }}
          local made = task.map({{ widgets, other }}, function(mine)
            return assert(mine.create(fields)).sitekey
          end)
          assert(made[1] ~= made[2])"""
        done = self.run_with(code, "create", kind="drop", applied=False)
        self.assert_status(done, 0)
        self.assertEqual(len(self.sandbox.widgets()), 2)

    def test_a_name_with_everything_in_it(self):
        name = "a&b=c %+#\u00e9 \"x\""
        done = self.run_with(f"""
          assert(widgets.create {{ name = {json.dumps(name, ensure_ascii=False)},
            domains = {{ 'a.example' }}, mode = 'managed' }})""", "create", kind="drop")
        self.check(done, "create", {})
        self.assertEqual([w["name"] for w in self.sandbox.widgets()], [name])

    def test_stopped_while_settling(self):
        """The doubt stands until it is settled: a run that is stopped in between says so."""
        self.sandbox.create()
        self.clean()
        self.sandbox.fault(op="update", kind="drop")
        self.sandbox.fault(op="get", kind="delay", ms=20000)
        process = self.start("-e", """
          local widgets = require "turnstile".widgets
          local w = widgets.all()[1]
          print 'listed'
          widgets.update(w, { name = 'in doubt' })""", sandbox=self.sandbox)
        process.wait_for_line()
        while not self.sandbox.requests("update"):
            pass
        process.signal(signal.SIGINT)
        done = process.finish()
        self.assert_status(done, 10)
        self.assertIn("1 in doubt", done.err)
        self.assertEqual(self.sandbox.widgets()[0]["name"], "in doubt")


if __name__ == "__main__":
    unittest.main()
