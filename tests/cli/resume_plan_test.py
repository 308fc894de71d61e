# SPDX-License-Identifier: MIT
"""tshost resume of a run that carries out a plan: the steps that are left, each once."""

import unittest

from host import ACCOUNT, Sandbox
from resume_test import PRELUDE, Base

WIDGETS = f"/client/v4/accounts/{ACCOUNT}/challenges/widgets"
SCRIPT = PRELUDE + """
  local first, second, third = table.unpack(widgets.all { order = "name" })
  assert(widgets.update(first, { domains = { add = { "more.example" } } }))
  assert(widgets.delete(second))
  local rotated = assert(widgets.rotate_secret(third))
  assert(rotated.secret:write("secrets-" .. third.name))
  for i = 1, 3 do
    local new = assert(widgets.create {
      name = "new " .. i, domains = { "new.example" }, mode = "managed" })
    assert(new.secret:write("secrets-" .. i))
    new = assert(widgets.update(new, { mode = "invisible" }))
  end"""


class ResumePlan(Base):
    def prepare(self, sandbox):
        self.sandbox = sandbox
        for path in self.home.glob("*secrets-*"):
            path.unlink()
        for name in ("a", "b", "c"):
            sandbox.create(name, [f"{name}.example"])
        plan = self.home / "plan.json"
        plan.unlink(missing_ok=True)
        done = self.run_tshost("plan", "-o", plan, self.script(SCRIPT), sandbox=sandbox)
        self.assert_status(done, 3)
        self.clean()
        return ["apply", "--allow", "delete=1,rotate=1", "--concurrency", "2", plan]

    def state(self):
        state = []
        for row in self.sandbox.widgets():
            widget = self.sandbox.ask("GET", f"{WIDGETS}/{row['sitekey']}")
            files = sorted(path.name for path in self.home.glob("secrets-*")
                           if path.read_text() == widget["secret"])
            state.append((widget["name"], widget["domains"], widget["mode"], files))
        return sorted(state)

    def test_killed_at_each_write(self):
        with Sandbox() as sandbox:
            self.assert_status(self.run_tshost(*self.prepare(sandbox), sandbox=sandbox), 0)
            expected = self.state()
            self.assertEqual(len(expected), 5)
            self.assertEqual(len([files for *_, files in expected if files]), 4)
        for operation, count in (("create", 3), ("update", 4), ("delete", 1), ("rotate", 1)):
            for nth in range(1, count + 1):
                for applied in (True, False):
                    with self.subTest(operation, nth=nth, applied=applied), Sandbox() as sandbox:
                        command = self.prepare(sandbox)
                        self.kill_during(operation, *command, nth=nth, applied=applied)
                        done = self.resume()
                        self.assertIn("in doubt", done.err)
                        self.assertEqual(self.state(), expected, done.err)
                        self.assertIn("is finished", self.resume().err)

    def test_an_undo(self):
        """It carries out a plan as well."""
        script = self.script(PRELUDE + """
          for i, w in ipairs(widgets.all { order = "name" }) do
            assert(widgets.update(w, { name = w.name .. " new" }))
          end
          assert(widgets.create { name = "new", domains = { "a.example" }, mode = "managed" })""")
        for operation, nth in (("delete", 1), ("update", 1), ("update", 3)):
            for applied in (True, False):
                with self.subTest(operation, nth=nth, applied=applied), Sandbox() as self.sandbox:
                    for name in ("a", "b", "c"):
                        self.sandbox.create(name)
                    self.assert_status(self.run_tshost(script, sandbox=self.sandbox), 0)
                    self.kill_during(operation, "undo", "--allow", "delete", "--concurrency", "1",
                                     "last", nth=nth, applied=applied)
                    done = self.resume()
                    self.assertEqual([w["name"] for w in self.sandbox.widgets()], ["a", "b", "c"],
                                     done.err)
                    self.assertIn("is finished", self.resume().err)

    def test_what_is_left_needs_as_much_as_is_left(self):
        with Sandbox() as sandbox:
            command = self.prepare(sandbox)
            self.kill_during("create", *command, nth=2, applied=False)
            self.resume("--max-create", "2", status=5)
            self.assertEqual(self.writes(), [])
            self.resume("--max-create", "3")
            self.assertEqual(len(sandbox.widgets()), 5)


if __name__ == "__main__":
    unittest.main()
