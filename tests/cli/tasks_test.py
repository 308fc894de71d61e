# SPDX-License-Identifier: MIT
"""How tasks end, as the summary, the exit status and the traceback tell it."""

import unittest

from host import Case, Sandbox
from slow_server import Server

RATE = ("--rate", "1000000/1")


class Unheard(Case):
    def test_cancelled_tasks_are_no_failures(self):
        done = self.lua("""
          local h = task.spawn(task.sleep, 1000)
          task.spawn(task.sleep, 1000):cancel()
          task.sleep(0)
          h:cancel()""", "--sandbox")
        self.assert_status(done, 0)
        self.assertEqual(done.err, "")

    def test_who_awaits_one_fails(self):
        done = self.lua("""
          local h = task.spawn(task.sleep, 1000)
          task.spawn(function() h:await() end)
          task.sleep(0)
          h:cancel()""", "--sandbox")
        self.assert_status(done, 1)
        self.assertIn("failed: the task was cancelled", done.err)

    def test_a_script_that_awaits_one(self):
        done = self.lua("""local h = task.spawn(task.sleep, 1000)
          h:cancel()
          h:await()""", "--sandbox")
        self.assert_status(done, 1)
        self.assertIn("the task was cancelled", done.err)

    def test_a_command_that_is_stopped(self):
        done = self.lua("""
          local w = assert(widgets.create { name = "a", domains = { "a.example" }, mode = "managed" })
          local none, err = task.with_timeout(0.2, function()
            return w.secret:pipe { "sleep", "1000" }
          end)
          print(none, err.kind)""", "--sandbox")
        self.assertEqual(done.out, "nil\ttimeout\n")
        self.assert_status(done, 4)
        self.assertIn("the command was stopped before it had ended", done.err)

    def test_writes_that_were_taken_back(self):
        """The script did not look at the error of with_timeout: its writes count."""
        with Server() as server:
            code = """
              local none, err = task.with_timeout(0, function()
                local names = {}
                for i = 1, 40 do names[i] = "n" .. i end
                task.each(names, function(name)
                  widgets.create { name = name, domains = { "a.example" }, mode = "managed" }
                end, { concurrency = 40 })
              end)
              assert(none == nil and err.kind == "timeout")"""
            options = ("--concurrency", "2", *RATE)
            code = code.replace("timeout(0,", "timeout(0.05,")
            done = self.lua(code, *options, sandbox=server.url)
            self.assert_status(done, 4)
            self.assertRegex(done.err, r"failed: \S*script\.lua:\d+: task\.with_timeout: the time limit "
                             r"of 0\.05 s has passed; \d+ writes were taken back before being sent")
            self.assert_status(
                self.lua(code + " err:forgive 'as planned'", *options, sandbox=server.url), 0)


class Settled(Case):
    def test_lost_answers_of_a_cancelled_task(self):
        """What a write came to is found out before the task ends."""
        writes = {
            "create": "widgets.create { name = 'new', domains = { 'a.example' }, mode = 'managed' }",
            "update": "widgets.update(old, { name = 'renamed' })",
            "delete": "widgets.delete(old)",
            "rotate": "widgets.rotate_secret(old)",
        }
        for operation, write in writes.items():
            with self.subTest(operation), Sandbox() as sandbox:
                sandbox.create("old")
                sandbox.fault(op=operation, kind="502", times=1, applied=True)
                done = self.lua(f"""
                  local old = widgets.all()[1]
                  local h = task.spawn(function()
                    assert({write})
                    print "written"
                    task.sleep(1000)
                  end)
                  task.sleep(0)
                  h:cancel()
                  print(select(2, pcall(h.await, h)).kind)""",
                  "--allow", "delete,rotate", sandbox=sandbox)
                self.assert_status(done, 0)
                self.assertEqual(done.out, "written\ncancelled\n")
                self.assertRegex(done.err, f"1 {operation}")


class Fair(Case):
    def test_a_write_among_tasks_that_never_rest(self):
        """It leaves though others read and compute all the time: after some hundred reads."""
        done = self.lua("""
          local w = widgets.create { name = 'a', domains = { 'a.example' }, mode = 'managed' }
          local reads, is_written = 0, false
          for _ = 1, 12 do
            task.spawn(function()
              while not is_written and reads < 5000 do
                widgets.get(w.sitekey)
                reads = reads + 1
              end
            end)
          end
          task.spawn(function()
            while not is_written and reads < 5000 do task.sleep(0) end
          end)
          while reads < 50 do task.sleep(0) end
          assert(widgets.update(w.sitekey, { name = 'b' }))
          is_written = true
          print(reads < 5000)""", "--sandbox", "--rate", "1000000/1")
        self.assert_status(done, 0)
        self.assertEqual(done.out, "true\n")


class Traceback(Case):
    def test_across_tasks(self):
        done = self.lua("""
local function deepest() error "the cause" end
local function outer() task.each({ 1 }, function() deepest() end) end
task.spawn(outer):await()""", "--verbose", "--sandbox")
        self.assert_status(done, 1)
        self.assertRegex(done.err, r"tshost: \S*script\.lua:2: the cause")
        trace = done.err
        raised, each, main = trace.split("awaited from:")
        self.assertIn("script.lua:2: in upvalue 'deepest'", raised)
        self.assertIn("script.lua:3: in function", each)
        self.assertIn("script.lua:4: in main chunk", main)

    def test_across_very_many_tasks(self):
        """It is cut where nobody reads on, and costs no more than that for each of them."""
        done = self.lua("""
local function chain(left)
  if left == 0 then error "the cause" end
  task.spawn(chain, left - 1):await()
end
chain(2000)""", "--verbose", "--sandbox")
        self.assert_status(done, 1)
        self.assertIn("script.lua:3: in function", done.err)
        self.assertLess(len(done.err), 20000)

    def test_of_another_error(self):
        done = self.lua("""
pcall(function() task.spawn(error, "handled"):await() end)
error "another" """, "--verbose", "--sandbox")
        self.assertNotIn("awaited from", done.err)


if __name__ == "__main__":
    unittest.main()
