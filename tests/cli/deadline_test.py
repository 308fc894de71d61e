# SPDX-License-Identifier: MIT
"""--deadline: the run ends in good order, says so, and counts what it left undone."""

import unittest

from host import Case
from slow_server import Server

RATE = ("--rate", "1000000/1")


class Deadline(Case):
    def lines(self, done):
        return done.err.splitlines()

    def test_while_it_waits(self):
        with Server() as server:
            done = self.lua("""
              assert(widgets.create { name = "a", domains = { "a.example" }, mode = "managed" })
              io.stdout:write "before"
              pcall(task.sleep, 1000)
              print "behind" """, "--deadline", "0.5", sandbox=server.url)
            self.assert_status(done, 4)
            self.assertEqual(done.out, "before")
            told, summary, resume = self.lines(done)
            self.assertEqual(told, "tshost: the deadline of 0.5 s has passed; stopped, and "
                             "nothing is in flight")
            self.assertRegex(summary, r"^tshost: 1 created; 1 request in (0\.[5-9]|[1-9][\d.]*) s; run ")
            self.assertRegex(resume, r"next: .*tshost resume \S+ +# does what is left$")

    def test_while_it_computes(self):
        done = self.lua("while true do pcall(function() while true do end end) end",
                        "--deadline", "0.2", "--sandbox")
        self.assert_status(done, 4)
        self.assertIn("the deadline of 0.2 s has passed", done.err)

    def test_what_is_in_flight_is_finished(self):
        """More writes than may be in flight: those that left are counted, the others are not sent."""
        with Server() as server:
            done = self.lua("""
              local names = {}
              for i = 1, 100000 do names[i] = "n" .. i end
              task.each(names, function(name)
                widgets.create { name = name, domains = { "a.example" }, mode = "managed" }
              end)""", "--deadline", "0.7", "--concurrency", "4", *RATE, sandbox=server.url)
            self.assert_status(done, 4)
            self.assertIn(f"tshost: {server.created} created", done.err)
            self.assertNotIn("in doubt", done.err)

    def test_while_it_waits_for_the_rate_budget(self):
        done = self.lua("""
          local names = {}
          for i = 1, 40 do names[i] = "n" .. i end
          task.each(names, function(name)
            widgets.create { name = name, domains = { "a.example" }, mode = "managed" }
          end)""", "--deadline", "1", "--rate", "30/300", "--sandbox")
        self.assert_status(done, 4)
        self.assertIn("the deadline of 1 s has passed", done.err)
        self.assertNotIn("in doubt", done.err)

    def test_a_run_that_is_kept_from_nothing(self):
        """It has passed when the script begins, or soon after."""
        for deadline in ("0.001", "60"):
            done = self.lua("print 'done'", "--deadline", deadline, "--sandbox")
            self.assertEqual((done.status, done.out, done.err), (0, "done\n", ""))

    def test_a_script_that_asked_for_a_status(self):
        """What was asked for is known, what was left undone as well."""
        done = self.lua("task.spawn(task.sleep, 1000) task.sleep(0) os.exit(3)",
                        "--deadline", "60", "--sandbox")
        self.assert_status(done, 3)


if __name__ == "__main__":
    unittest.main()
