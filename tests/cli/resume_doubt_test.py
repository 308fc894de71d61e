# SPDX-License-Identifier: MIT
"""What tshost resume makes of writes that a run left in doubt: each is told by reading, and what cannot
be told is said and stops it."""

import json
import sqlite3
import unittest

from host import ACCOUNT
from resume_test import PRELUDE, Base

WIDGETS = f"/client/v4/accounts/{ACCOUNT}/challenges/widgets"
ALLOW = ("--allow", "delete,rotate")
CREATE = PRELUDE + """
  local w = assert(widgets.create { name = "new", domains = { "b.example", "a.example" },
    mode = "managed" })
  assert(w.secret:write "secret")"""
UPDATE = PRELUDE + """
  local w = widgets.all()[1]
  assert(widgets.update(w, { name = "new", domains = { add = { "b.example" } } }))"""
DELETE = PRELUDE + "for _, w in ipairs(widgets.all()) do assert(widgets.delete(w)) end"
ROTATE = PRELUDE + """
  for w in widgets.list() do
    local new = assert(widgets.rotate_secret(w.sitekey))
    assert(new.secret == assert(widgets.get(w)).secret)
    assert(new.secret:write("secret", { replace = true }))
  end"""


class Doubt(Base):
    def doubt(self, code, operation, applied, status=0, *options, between=None):
        self.kill_during(operation, *ALLOW, self.script(code), applied=applied)
        if between:
            between()
            self.clean()
        done = self.resume(*options, status=status)
        if status == 0:
            self.assertEqual(self.rows("SELECT * FROM operation LEFT JOIN outcome USING (number)"
                                       " WHERE ifnull(state, 0) IN (0, 3)"), [])
        return done

    def secret_of(self, widget):
        return self.sandbox.ask("GET", f"{WIDGETS}/{widget['sitekey']}")["secret"]

    def test_create(self):
        for applied in (True, False):
            with self.subTest(applied):
                done = self.doubt(CREATE, "create", applied)
                self.assertIn('  applied      create "new" 0x4' if applied
                              else '  not applied  create "new": there is no such widget', done.err)
                self.assertEqual(self.writes(), [] if applied else ["create"])
                self.assertEqual(len(self.sandbox.widgets()), 1)
                made = self.sandbox.widgets()[0]
                self.assertEqual((self.home / "secret").read_text(), self.secret_of(made))
                self.sandbox.ask("DELETE", f"{WIDGETS}/{made['sitekey']}")
                (self.home / "secret").unlink()
                self.clean()

    def test_a_create_that_has_a_twin_from_before(self):
        self.sandbox.create("new", ["a.example", "b.example"])
        self.run_tshost("-e", PRELUDE + "widgets.update(widgets.all()[1], { mode = 'invisible' })",
                        sandbox=self.sandbox)  # so that the journal knows it
        self.run_tshost("-e", PRELUDE + "widgets.update(widgets.all()[1], { mode = 'managed' })",
                        sandbox=self.sandbox)
        self.clean()
        done = self.doubt(CREATE, "create", False)
        self.assertIn("not applied", done.err)
        self.assertEqual(len(self.sandbox.widgets()), 2)

    def test_a_create_that_another_run_has_repeated(self):
        """That one's widget is its own."""
        def other():
            self.assert_status(self.run_tshost("-e", CREATE.replace('"secret"', '"other"'),
                                               sandbox=self.sandbox), 0)
        self.kill_during("create", self.script(CREATE), applied=False)
        run = self.rows()[0]["id"]
        other()
        self.clean()
        done = self.resume(run=run)
        self.assertIn("not applied", done.err)
        self.assertEqual(len(self.sandbox.widgets()), 2)

    def test_a_create_that_may_be_one_of_two(self):
        def other():
            self.sandbox.create("new", ["a.example", "b.example"])
        done = self.doubt(CREATE, "create", True, 10, between=other)
        self.assertIn("unknown", done.err)
        for widget in self.sandbox.widgets():
            self.assertIn(widget["sitekey"], done.err)
        self.assertEqual(self.writes(), [])
        self.resume(status=10)
        self.sandbox.ask("DELETE", f"{WIDGETS}/{self.sandbox.widgets()[1]['sitekey']}")
        self.clean()
        self.resume()
        self.assertEqual(self.writes(), [])
        self.assertEqual(len(self.sandbox.widgets()), 1)

    def test_a_clock_that_was_set_back_meanwhile(self):
        """What was made seems to be older than the request for it: it is not made once more."""
        for seconds in (30, 7200):
            for code, operation in ((CREATE, "create"), (ROTATE, "rotate")):
                with self.subTest(operation, seconds=seconds):
                    def ahead(seconds=seconds):
                        journal = sqlite3.connect(self.home / "tshost" / "journal.db")
                        for table in ("run", "operation"):
                            journal.execute(f"UPDATE {table} SET started = started + ?",
                                            [seconds * 1000000])
                        journal.commit()
                        journal.close()
                    if operation == "rotate":
                        self.sandbox.create()
                        self.clean()
                    done = self.doubt(code, operation, True, 10, between=ahead)
                    self.assertIn("clock was set", done.err)
                    self.assertEqual(self.writes(), [])
                    for widget in self.sandbox.widgets():
                        self.sandbox.ask("DELETE", f"{WIDGETS}/{widget['sitekey']}")

    def test_what_is_unknown_can_be_taken_as_not_applied(self):
        def other():
            self.sandbox.create("new", ["a.example", "b.example"])
        self.doubt(CREATE, "create", True, 10, between=other)
        self.resume("--if-unknown", "not-applied")
        self.assertEqual(len(self.sandbox.widgets()), 3)

    def test_creates_that_are_alike(self):
        code = PRELUDE + """
          task.each({ 1, 2, 3 }, function(i)
            local w = assert(widgets.create {
              name = "twin", domains = { "a.example" }, mode = "managed" })
            assert(w.secret:write("secret-" .. w.sitekey))
          end)"""
        self.sandbox.fault(op="create", nth=2, kind="drop", applied=False, ms=30000)
        self.kill_during("create", self.script(code), nth=3)
        done = self.resume()
        self.assertEqual(len(self.sandbox.widgets()), 3, done.err)
        self.assertEqual(len(list(self.home.glob("secret-*"))), 3)

    def test_update(self):
        for applied in (True, False):
            with self.subTest(applied):
                made = self.sandbox.create()
                done = self.doubt(UPDATE, "update", applied)
                self.assertIn("it is as it was sent" if applied else "it is as it was before",
                              done.err)
                self.assertEqual(self.writes(), [] if applied else ["update"])
                live = self.sandbox.widgets()[0]
                self.assertEqual((live["name"], live["domains"]),
                                 ("new", ["acme.example", "b.example"]))
                self.sandbox.ask("DELETE", f"{WIDGETS}/{made['sitekey']}")
                self.clean()

    def change(self, **fields):
        live = self.sandbox.widgets()[0]
        body = {name: live[name] for name in ("name", "domains", "mode")}
        self.sandbox.ask("PUT", f"{WIDGETS}/{live['sitekey']}", {**body, **fields})

    def test_an_update_of_a_field_that_somebody_has_changed_since(self):
        self.sandbox.create()
        done = self.doubt(UPDATE, "update", True, between=lambda: self.change(name="theirs"))
        self.assertIn("as sent, but for `name`", done.err)
        self.assertEqual(self.sandbox.widgets()[0]["name"], "theirs")

    def test_an_update_that_cannot_be_told(self):
        self.sandbox.create()
        code = PRELUDE + "assert(widgets.update(widgets.all()[1], { name = 'new' }))"
        done = self.doubt(code, "update", True, 10, between=lambda: self.change(name="theirs"))
        self.assertIn('`name` since: it was "acme", "new" was sent, and it is "theirs"', done.err)
        self.assertEqual(self.writes(), [])
        self.resume("--if-unknown", "done")
        self.assertEqual(self.writes(), [])
        self.assertEqual(self.sandbox.widgets()[0]["name"], "theirs")

    def test_an_update_of_a_widget_that_is_gone(self):
        made = self.sandbox.create()
        code = PRELUDE + """
          for w in widgets.list() do assert(widgets.update(w, { name = "new" })) end"""
        done = self.doubt(code, "update", True, between=lambda: self.sandbox.ask(
            "DELETE", f"{WIDGETS}/{made['sitekey']}"))
        self.assertIn("the widget is gone", done.err)

    def test_verdicts_for_programs(self):
        made = self.sandbox.create()
        self.kill_during("update", self.script(UPDATE))
        run = self.rows()[0]["id"]
        done = self.resume("--quiet", "--json")
        summary = json.loads(done.err)
        self.assertEqual(summary["resumes"], run)
        self.assertEqual(summary["verdicts"], [{
            "operation": 1, "op": "update", "sitekey": made["sitekey"], "verdict": "done",
            "why": "it is as it was sent"}])
        self.assertEqual(summary["counts"]["replayed"], 1)

    def test_delete(self):
        for applied in (True, False):
            with self.subTest(applied):
                self.sandbox.create()
                done = self.doubt(DELETE, "delete", applied)
                self.assertIn("it is gone" if applied else "it is still there", done.err)
                self.assertEqual(self.writes(), [] if applied else ["delete"])
                self.assertEqual(self.sandbox.widgets(), [])
                self.clean()

    def test_rotate(self):
        for code in (ROTATE, ROTATE.replace("rotate_secret(w.sitekey)", "rotate_secret(w)")):
            for applied in (True, False):
                with self.subTest(applied):
                    made = self.sandbox.create()
                    self.sandbox.ask("POST", "/sandbox/clock", {"advance": 10})
                    done = self.doubt(code, "rotate", applied)
                    self.assertIn("  applied" if applied else "  not applied", done.err)
                    self.assertEqual(self.writes(), [] if applied else ["rotate"])
                    now = self.secret_of(made)
                    self.assertNotEqual(now, made["secret"])
                    self.assertEqual((self.home / "secret").read_text(), now)
                    self.sandbox.ask("DELETE", f"{WIDGETS}/{made['sitekey']}")
                    self.clean()

    def test_a_reading_that_fails(self):
        self.sandbox.create()
        self.kill_during("update", self.script(UPDATE))
        self.sandbox.fault(op="get", kind="502", times=100)
        done = self.resume("--max-wait", "0.1", status=10)
        self.assertIn("unknown", done.err)
        self.assertEqual(self.writes(), [])
        self.clean()
        self.resume()
        self.assertEqual(self.writes(), [])

    def test_a_command_that_may_have_got_the_secret(self):
        code = PRELUDE + """
          local w = assert(widgets.create { name = "new", domains = { "a.example" },
            mode = "managed" })
          assert(w.secret:pipe { "sh", "-c", "cat >> piped; test -e go || sleep 60" })"""
        process = self.start(self.script(code), sandbox=self.sandbox)
        while not (self.home / "piped").exists() or not (self.home / "piped").read_text():
            self.assertIsNone(process.process.poll(), process.said())
        process.signal(9)
        process.finish()
        (self.home / "go").touch()
        done = self.resume()
        self.assertIn("secret:pipe sh: whether sh got the secret cannot be told; it will be delivered "
                      "again", done.err)
        secret = self.secret_of(self.sandbox.widgets()[0])
        self.assertEqual((self.home / "piped").read_text(), 2 * secret)
        self.assertIn("is finished", self.resume().err)


if __name__ == "__main__":
    unittest.main()
