# SPDX-License-Identifier: MIT
"""Which requests are sent again, how often, and what a script and the summary hear of it."""

import re
import unittest

from host import Case, Sandbox

CREATE = "widgets.create { name = 'b', domains = { 'b.example' }, mode = 'managed' }"
NOBODY = "http://127.0.0.1:9/client/v4"  # port 9 (discard): nobody listens
ONE_LINE = r"\Atshost: [^\n]*\n\Z"


class Retry(Case):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox())
        self.key = self.sandbox.create()["sitekey"]
        self.get = f"local w, e = widgets.get '{self.key}'; "

    def against(self, code, status, *options, **fault):
        """Runs the code while the next requests of an operation fail like this."""
        before = len(self.sandbox.requests())
        self.sandbox.fault(**fault)
        done = self.lua(code, *options, sandbox=self.sandbox)
        self.assert_status(done, status)
        self.sandbox.ask("DELETE", "/sandbox/faults")
        self.statuses = [status for _, status in self.sandbox.requests()[before:]]
        return done

    def test_a_read_gets_through(self):
        for kind, seen in (("502", [502, 502, 200]), ("drop", [0, 0, 200]),
                           ("truncate", [200, 200, 200])):
            with self.subTest(kind):
                done = self.against(f"assert(widgets.get '{self.key}')", 0, "--verbose",
                                    op="get", kind=kind, times=2)
                self.assertEqual(self.statuses, seen)
                self.assertEqual(done.err.count("; attempt "), 2, done)
                self.assertRegex(done.err, rf"get {self.key}: .*; attempt 2 in 0\.\d s\n")

    def test_a_list_gets_through(self):
        done = self.against("print(#widgets.all())", 0, op="list", kind="truncate", times=2)
        self.assertEqual((done.out, done.err), ("1\n", ""))

    def test_a_read_is_given_up_after_five_attempts(self):
        done = self.against(self.get + "print(e.kind, e.status, e.attempts); print(e)", 9,
                            "--max-wait", "0", op="get", kind="502", times=1000)
        self.assertEqual(self.statuses, 5 * [502])
        self.assertTrue(done.out.startswith("http\t502\t5\n"), done)
        self.assertIn("; tried 5 times", done.out)

    def test_one_request_that_always_fails_does_not_stop_the_others(self):
        self.against(self.get + "assert(not w and #widgets.all() == 1); e:forgive 'poor thing'", 0,
                     "--max-wait", "0", op="get", kind="502", times=1000)

    def test_a_write_that_may_have_arrived_is_not_sent_again(self):
        for kind in ("502", "drop", "truncate"):
            with self.subTest(kind):
                self.sandbox.fault(op="list", kind="502", times=1000)  # nor can it be looked up
                before = len(self.sandbox.requests("create"))
                self.against(CREATE, 10, "--max-wait", "0", op="create", kind=kind)
                self.assertEqual(len(self.sandbox.requests("create")), before + 1)

    def test_a_pause_is_no_failure(self):
        done = self.against(self.get + "assert(w); print(w.sitekey)", 0, "--verbose",
                            op="get", kind="429", retry_after=1)
        self.assertEqual(self.statuses, [429, 200])
        self.assertIn("HTTP 429; attempt 2 ", done.err)
        done = self.against(CREATE, 0, op="create", kind="429", retry_after=1)
        self.assertEqual(self.statuses, [429, 200])
        self.assertIn("1 created; 2 requests", done.err)

    def test_a_pause_that_is_too_long(self):
        code = self.get + """
          print(e, e.kind, e.status, e.attempts)
          local _, second = widgets.get(e.sitekey)
          print(second, second.kind, second.attempts)"""
        done = self.against(code, 9, "--max-wait", "10", op="get", kind="429", retry_after=300)
        first, second = done.out.splitlines()
        self.assertIn("try again in 300 s; that is longer than what is left of --max-wait (10 s)",
                      first)
        self.assertTrue(first.endswith("api\t429\t1"), first)
        self.assertIn("longer than --max-wait (10 s)", second)
        self.assertTrue(second.endswith("transport\t0"), second)
        self.assertEqual(self.statuses, [429])

    def test_siteverify_is_sent_again_after_a_pause_only(self):
        ask = ("local v, e = turnstile.siteverify { secret = '1x0000000000000000000000000000000AA', "
               "response = 'XXXX.DUMMY.TOKEN.XXXX' }; print(v and v.success, e and e.kind)")
        done = self.against(ask, 0, op="siteverify", kind="429", retry_after=1)
        self.assertEqual((done.out, self.statuses), ("true\tnil\n", [429, 200]))
        done = self.against(ask, 9, op="siteverify", kind="502")
        self.assertEqual((done.out, self.statuses), ("nil\thttp\n", [502]))


class Outage(Case):
    def test_nobody_there(self):
        """One line, whether the script looks at the error or not."""
        for wait, given_up in (("0", r"given up at once \(--max-wait 0\)"),
                               ("1", r"given up after ([\d.]+) s \(--max-wait\)")):
            with self.subTest(wait):
                done = self.lua("assert(widgets.get '0x4a')", "--max-wait", wait, sandbox=NOBODY)
                self.assert_status(done, 9)
                self.assertRegex(done.err, ONE_LINE)
                self.assertIn("the API cannot be reached: could not connect to 127.0.0.1:9",
                              done.err)
                told = re.search(given_up, done.err)
                self.assertTrue(told, done)
                for waited in told.groups():  # no sooner; later where the machine is busy
                    self.assertGreaterEqual(float(waited), float(wait))

    def test_it_ends_a_run_that_does_not_care(self):
        done = self.lua("""
          for i = 1, 1000 do
            local w, e = widgets.get '0x4a'
            print(e.kind, e.attempts)
            e:forgive 'no matter'
          end""", "--max-wait", "0", sandbox=NOBODY)
        self.assert_status(done, 9)
        self.assertEqual(done.out, "transport\t5\n")
        self.assertEqual(len(done.lines), 2, done)
        self.assertIn("0 requests", done.lines[1])

    def test_a_thousand_writes_are_one_line(self):
        done = self.lua("""
          for i = 1, 1000 do
            task.spawn(function()
              widgets.create { name = 'n' .. i, domains = { 'a.example' }, mode = 'managed' }
            end)
          end""", "--max-wait", "0", "--verbose", sandbox=NOBODY)
        self.assert_status(done, 9)
        told = [line for line in done.lines
                if "; attempt " not in line and not line.startswith("  next: ")]
        self.assertEqual(len(told), 2, told)
        self.assertIn("1,000 not sent; 0 requests", told[1])
        self.assertLess(len(done.lines), 200)


if __name__ == "__main__":
    unittest.main()
