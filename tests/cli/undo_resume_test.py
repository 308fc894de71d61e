# SPDX-License-Identifier: MIT
"""tshost undo with tshost resume: undos that are killed, runs that were killed and resumed."""

import unittest

import plans
from host import Sandbox
from resume_test import PRELUDE, Base

SCRIPT = PRELUDE + """
  local first, second = table.unpack(widgets.all { order = "name" })
  assert(widgets.update(first, { domains = { add = { "more.example" } } }))
  assert(widgets.update(second, { name = "z", mode = "invisible" }))
  for i = 1, 2 do
    local new = assert(widgets.create {
      name = "new " .. i, domains = { "new.example" }, mode = "managed" })
    assert(widgets.update(new, { mode = "invisible" }))
  end"""
OPTIONS = ("--allow", "delete=2", "--concurrency", "1")


class UndoResume(Base):
    def fields(self):
        return {w["sitekey"]: {**plans.saw(w), "domains": sorted(w["domains"])}
                for w in self.sandbox.widgets()}

    def prepare(self, sandbox):
        """Runs the script, and gives the widgets before it."""
        self.sandbox = sandbox
        for name in ("a", "b", "c"):
            sandbox.create(name, [f"{name}.example"])
        before = self.fields()
        self.assert_status(self.run_tshost(self.script(SCRIPT), sandbox=sandbox), 0)
        self.clean()
        return before

    def test_an_undo_killed_at_each_write_is_resumed(self):
        for operation in ("update", "delete"):
            for nth in (1, 2):
                for applied in (True, False):
                    with self.subTest(operation, nth=nth, applied=applied), Sandbox() as sandbox:
                        before = self.prepare(sandbox)
                        run = self.rows()[-1]["id"]
                        self.kill_during(operation, "undo", *OPTIONS, run, nth=nth, applied=applied)
                        self.assertIn("in doubt", self.resume().err)
                        self.assertEqual(self.fields(), before)
                        self.assertIn("is finished", self.resume().err)

    def test_a_killed_run_is_resumed_before_it_is_undone(self):
        before = self.prepare(self.sandbox)
        self.kill_during("update", "-e", PRELUDE + """
          local w = table.unpack(widgets.all { order = "name" })
          assert(widgets.update(w, { name = "q", mode = "invisible" }))
          assert(widgets.create { name = "p", domains = { "p.example" }, mode = "managed" })""")
        run = self.rows()[-1]["id"]
        done = self.run_tshost("undo", "--allow", "delete", run, sandbox=self.sandbox)
        self.assert_status(done, 10)
        self.assertEqual(self.writes(), [])
        self.resume()
        done = self.run_tshost("undo", "--allow", "delete", run, sandbox=self.sandbox)
        self.assert_status(done, 0)
        done = self.run_tshost("undo", *OPTIONS, self.rows()[0]["id"], sandbox=self.sandbox)
        self.assert_status(done, 0)
        self.assertEqual(self.fields(), before)


if __name__ == "__main__":
    unittest.main()
