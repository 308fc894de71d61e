# SPDX-License-Identifier: MIT
"""tshost resume: what is in doubt is settled, what was done is not done again, and what is left is
done; the end is that of a run that nobody has cut short."""

import json
import signal
import sqlite3
import unittest

from host import ACCOUNT, Case, Sandbox

PRELUDE = """
  local turnstile, task, fs = require "turnstile", require "task", require "fs"
  local widgets = turnstile.widgets
"""
MAKE = PRELUDE + """
  local there = {}
  for w in widgets.list() do there[w.name] = true end
  for _, w in ipairs(widgets.all()) do assert(there[w.name]) end
  for i = 1, tonumber(arg[1]) do
    local name = "w" .. i
    print(name, there[name] and "is there" or "is new", fs.exists("secret-" .. i))
    if not there[name] then
      local w = assert(widgets.create {
        name = name, domains = { i .. ".example" }, mode = "managed" })
      assert(w.secret:write("secret-" .. i))
      if os.getenv "STOP" == tostring(i) then os.exit(1) end
      assert(widgets.update(w, { domains = { add = { "more.example" } } }))
    end
  end"""


class Base(Case):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox())
        self.clean()

    def clean(self):
        self.sandbox.ask("DELETE", "/sandbox/faults")
        self.sandbox.ask("DELETE", "/sandbox/requests")

    def resume(self, *options, run="last", status=0, **more):
        done = self.run_tshost("resume", *options, run, sandbox=self.sandbox, **more)
        self.assert_status(done, status)
        return done

    def rows(self, query="SELECT * FROM run ORDER BY number"):
        journal = sqlite3.connect(self.home / "tshost" / "journal.db")
        journal.row_factory = sqlite3.Row
        rows = [dict(row) for row in journal.execute(query)]
        journal.close()
        return rows

    def writes(self):
        return [op for op, _ in self.sandbox.requests() if op not in ("list", "get")]

    def kill_during(self, operation, *arguments, nth=1, applied=True, environment=None):
        """Kills a run while it waits for the answer to that write."""
        self.sandbox.fault(op=operation, nth=nth, ms=30000,
                           **({"kind": "delay"} if applied else {"kind": "drop", "applied": False}))
        before = len(self.sandbox.requests(operation))
        process = self.start(*arguments, sandbox=self.sandbox, environment=environment)
        while len(self.sandbox.requests(operation)) < before + nth:
            self.assertIsNone(process.process.poll(), process.said())
        process.signal(signal.SIGKILL)
        process.finish()
        self.clean()


class Resume(Base):
    def test_a_script_goes_on_where_it_stopped(self):
        script = self.script(MAKE)
        stopped = self.run_tshost("--max-create", "4", script, "4", sandbox=self.sandbox,
                                  environment={"STOP": "2"})
        self.assert_status(stopped, 1)
        self.clean()
        done = self.resume(directory="/")
        self.assertEqual(self.writes(), ["update", "create", "update", "create", "update"])
        self.assertEqual([w["domains"] for w in self.sandbox.widgets()],
                         [[f"{i}.example", "more.example"] for i in (1, 2, 3, 4)])
        # It decided as the first time, though widgets and files are there.
        self.assertEqual(done.out, "".join(f"w{i}\tis new\tfalse\n" for i in (1, 2, 3, 4)))
        runs = self.rows()
        self.assertEqual([run["command"] for run in runs], ["run", "resume"])
        self.assertEqual(runs[1]["of"], runs[0]["id"])
        self.assertEqual(json.loads(runs[1]["options"]), ["--max-create=4"])
        self.assertEqual(json.loads(runs[1]["arguments"]), ["4"])

    def test_a_finished_run_is_left_alone(self):
        self.assert_status(self.run_tshost(self.script(MAKE), "1", sandbox=self.sandbox), 0)
        self.clean()
        for run in ("last", self.rows()[0]["id"], self.rows()[0]["id"][-4:]):
            done = self.resume(run=run)
            self.assertIn("is finished: there is nothing to resume", done.err)
        self.assertEqual(self.resume("--quiet").err, "")
        summary = json.loads(self.resume("--quiet", "--json").err)
        self.assertEqual((summary["exit"], summary["error"]), (0, None))
        self.assertEqual(self.sandbox.requests(), [])
        self.assertEqual(len(self.rows()), 1)

    def test_a_resume_is_finished_too(self):
        """Though it had nothing left to write."""
        script = self.script(MAKE + " if os.getenv 'FAIL' then error 'no' end")
        self.assert_status(self.run_tshost(
            script, "1", sandbox=self.sandbox, environment={"FAIL": "1"}), 1)
        first = self.rows()[0]["id"]
        self.clean()
        self.resume(run=first)
        self.assertEqual(self.writes(), [])
        self.clean()
        self.assertIn("is finished", self.resume(run=first).err)
        self.assertIn("is finished", self.resume(run="last").err)
        self.assertEqual(self.sandbox.requests(), [])

    def test_a_run_that_goes_on(self):
        script = self.script(PRELUDE + """
          assert(widgets.create { name = "a", domains = { "a.example" }, mode = "managed" })
          print "made"
          io.read()""")
        process = self.start(script, sandbox=self.sandbox, stdin=-1)
        process.wait_for_line()
        done = self.resume(status=7)
        run = self.rows()[0]["id"]
        self.assertIn(f"run {run} goes on (pid {process.process.pid})", done.err)
        process.process.stdin.close()
        process.process.stdin = None
        self.assert_status(process.finish(), 0)
        self.assertIn("is finished", self.resume().err)

    def test_a_run_of_a_machine_that_is_gone(self):
        """A container has another name each time: what tells is that nobody has the account."""
        script = self.script(PRELUDE + """
          assert(widgets.create { name = "a", domains = { "a.example" }, mode = "managed" })""")
        self.kill_during("create", script)
        journal = sqlite3.connect(self.home / "tshost" / "journal.db")
        journal.execute("UPDATE run SET host = 'another'")
        journal.commit()
        journal.close()
        self.assertIn("running", self.run_tshost("log").out)
        self.assertIn("1 operation in doubt", self.resume().err)
        self.assertEqual(len(self.sandbox.widgets()), 1)
        run = self.rows()[0]["id"]
        done = self.run_tshost("undo", "--allow", "delete", run, sandbox=self.sandbox)
        self.assert_status(done, 0)
        self.assertEqual(self.sandbox.widgets(), [])

    def test_two_resumes_at_once(self):
        """Whether the first one settles still or runs its script: the other one is kept out."""
        script = self.script(PRELUDE + """
          local w = assert(widgets.create { name = "a", domains = { "a.example" }, mode = "managed" })
          print "made"
          assert(widgets.update(w, { name = "b" }))""")
        self.kill_during("update", script, applied=False)
        for operation, nth in (("get", 1), ("update", 1)):
            with self.subTest(operation):
                self.sandbox.fault(op=operation, nth=nth, kind="drop", applied=False, ms=30000)
                first = self.start("resume", "last", sandbox=self.sandbox)
                while not self.sandbox.requests(operation):
                    self.assertIsNone(first.process.poll(), first.said())
                other = self.resume(status=7)
                self.assertIn(str(first.process.pid), other.err)
                first.signal(signal.SIGKILL)
                first.finish()
                self.clean()
        self.resume()
        self.assertEqual([w["name"] for w in self.sandbox.widgets()], ["b"])

    def test_a_script_with_an_account_of_its_own(self):
        """No account is configured."""
        script = self.script(f"""
          local turnstile = require "turnstile"
          local widgets = turnstile.client {{ account_id = "{ACCOUNT}" }}.widgets
          for _, name in ipairs {{ "a", "b" }} do
            assert(widgets.create {{ name = name, domains = {{ "a.example" }}, mode = "managed" }})
          end""")
        environment = {"CLOUDFLARE_ACCOUNT_ID": None}
        self.kill_during("create", script, nth=2, environment=environment)
        done = self.resume(environment=environment)
        self.assertIn("  applied      create", done.err)
        self.assertEqual(len(self.sandbox.widgets()), 2)

    def test_another_script_is_refused(self):
        script = self.script(MAKE)
        self.run_tshost(script, "2", sandbox=self.sandbox, environment={"STOP": "1"})
        before = self.rows()[0]["sha256"]
        self.script(MAKE + "\n-- changed")
        self.clean()
        done = self.resume(status=2)
        self.assertIn(before[:16], done.err)
        self.assertIn("--changed-script", done.err)
        self.assertEqual(self.sandbox.requests(), [])
        self.resume("--changed-script")
        self.assertEqual(len(self.sandbox.widgets()), 2)

    def test_what_cannot_be_resumed(self):
        self.assertIn("there is no run", self.resume(status=2).err)
        self.assertIn("no run given", self.run_tshost("resume").err)
        code = PRELUDE + """
          widgets.create { name = "a", domains = { "a.example" }, mode = "managed" }
          os.exit(1)"""
        self.run_tshost("-", text=code, sandbox=self.sandbox)
        self.assertIn("came from standard input", self.resume(status=2).err)
        script = self.script(code)
        self.run_tshost(script, sandbox=self.sandbox)
        script.unlink()
        self.assertIn("cannot be read", self.resume(status=2).err)

    def test_a_line_of_code(self):
        code = MAKE
        self.assert_status(self.run_tshost("-e", code, "2", sandbox=self.sandbox,
                                           environment={"STOP": "1"}), 1)
        self.resume()
        self.assertEqual(len(self.sandbox.widgets()), 2)

    def test_caps_count_over_the_run_and_its_resumes(self):
        script = self.script(MAKE)
        self.run_tshost("--max-create", "2", script, "3", sandbox=self.sandbox,
                        environment={"STOP": "1"})
        done = self.resume(status=5)
        self.assertIn("--max-create", done.err)
        self.assertEqual(len(self.sandbox.widgets()), 2)
        # Still that of the run.
        self.assert_status(self.run_tshost("resume", "last", sandbox=self.sandbox), 5)
        self.resume("--max-create", "3")
        self.assertEqual(len(self.sandbox.widgets()), 3)

    def test_grants_of_the_run_and_of_its_resumes(self):
        for name in ("a", "b", "c"):
            self.sandbox.create(name)
        script = self.script(PRELUDE + """
          print(turnstile.allowance "delete", turnstile.allowance "rotate")
          for i, w in ipairs(widgets.all { order = "name" }) do
            assert(widgets.delete(w))
            if os.getenv "STOP" then os.exit(1) end
          end""")
        self.run_tshost("--allow", "delete=1,rotate=7", script, sandbox=self.sandbox,
                        environment={"STOP": "1"})
        self.assertEqual(self.resume(status=5).out, "1\t7\n")
        self.assertEqual(len(self.sandbox.widgets()), 2)
        self.assertEqual(self.resume("--allow", "delete=2", status=5).out, "2\t7\n")
        self.assertEqual(len(self.sandbox.widgets()), 1)
        self.assertEqual(self.resume("--allow", "delete=3").out, "3\t7\n")
        self.assertEqual(self.sandbox.widgets(), [])


if __name__ == "__main__":
    unittest.main()
