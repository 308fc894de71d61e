# SPDX-License-Identifier: MIT
"""The exit status, which cron and CI rely on, and the summary that explains it."""

import os
import re
import socket
import unittest

from host import TSHOST, Case, Process, Sandbox

MAKE = "widgets.create { name = 'acme', domains = { 'a.example' }, mode = 'managed' }"
NO_WIDGET = "0x4AAAAAAAAAAAAAAAAAAAAA"
REFUSED = f"widgets.rotate_secret '{NO_WIDGET}'"
FAILED = f"widgets.update('{NO_WIDGET}', {{ name = 'x' }})"


class Status(Case):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox())

    def status_of(self, code, *options, **more):
        """Without waits: what happens when they are over is what counts here."""
        return self.lua(code, "--max-wait", "0", *options, **{"sandbox": self.sandbox, **more})

    def test_os_exit(self):
        for argument, status in (("", 0), ("0", 0), ("3", 3), ("255", 255), ("true", 0),
                                 ("false", 1), ("-1", 255), ("nil", 0), ("7, true", 7)):
            with self.subTest(argument):
                done = self.run_tshost("-e", f"os.exit({argument}); print 'not here'")
                self.assertEqual((done.status, done.out, done.err), (status, "", ""))
        for argument in ("256", "-1000", "1.5", "'x'", "{}"):
            with self.subTest(argument):
                done = self.run_tshost("-e", f"os.exit({argument})")
                self.assert_status(done, 1)
                self.assertIn("(command line):1: os.exit: a status", done.err)

    def test_os_exit_is_orderly(self):
        """Buffers are written, what is open is closed, what is in flight is finished."""
        code = f"""
          io.stdout:setvbuf 'full'
          local file = assert(io.open('out.txt', 'w'))
          file:write 'kept'
          task.spawn(function() assert({MAKE}); print 'finished' end)
          local x <close> = setmetatable({{}}, {{ __close = function() print 'closed' end }})
          task.sleep(0)
          print 'leaving'
          pcall(function() pcall(os.exit, 3) print 'not here' end)
          print 'not here'
        """
        done = self.status_of(code)
        self.assert_status(done, 3)
        self.assertEqual(done.out, "leaving\nclosed\nfinished\n")
        self.assertEqual((self.home / "out.txt").read_text(), "kept")
        self.assertIn("1 created", done.err)
        self.assertEqual(len(self.sandbox.widgets()), 1)

    def test_os_exit_out_of_a_task(self):
        done = self.run_tshost("-e", """
          local task = require 'task'
          local h = task.spawn(function() os.exit(9) end)
          pcall(h.await, h)
          while true do pcall(task.sleep, 1000) end""")
        self.assertEqual((done.status, done.err), (9, ""))
        done = self.run_tshost("-e", """
          local task = require 'task'
          for i = 1, 100 do task.spawn(function() task.sleep(1000) end) end
          coroutine.wrap(function() xpcall(function() os.exit(9) end, print) end)()""")
        self.assertEqual((done.status, done.err), (9, ""))

    def test_a_failed_write_counts_although_the_script_looked_away(self):
        for code in (FAILED, f"pcall(function() assert({FAILED}) end)", f"{FAILED}; os.exit(0)",
                     f"task.spawn(function() {FAILED} end)"):
            with self.subTest(code):
                done = self.status_of(code)
                self.assert_status(done, 4)
                self.assertIn("1 failed", done.err)
                self.assertRegex(done.err, rf"failed: .*script\.lua:1: update {NO_WIDGET}: .+")

    def test_an_asserted_failure_is_told_once(self):
        done = self.status_of(f"assert({FAILED})")
        self.assert_status(done, 4)
        self.assertEqual(done.err.count(f"update {NO_WIDGET}"), 1, done)
        self.assertRegex(done.lines[0], r"script\.lua:1: update .*HTTP 404, code 10404")

    def test_errors_that_name_no_place_get_the_script_s(self):
        for line, said in (
                ("for _, w in ipairs(print) do end", "script.lua:2: attempt to index a function value"),
                ("assert(nil, 'no such thing')", "script.lua:2: no such thing"),
                ("assert(io.open 'nowhere/x')", "script.lua:2: nowhere/x: No such file or directory"),
                ("coroutine.yield()", "script.lua:2: attempt to yield from outside a coroutine"),
                ("error('tenants.csv:7: no domains', 0)", "tenants.csv:7: no domains"),
                ("error('as it is', 0)", "as it is")):
            with self.subTest(line):
                path = self.script("\n" + line)
                done = self.run_tshost("--sandbox", path)
                self.assert_status(done, 1)
                self.assertRegex(done.err, r"\Atshost: [^:]*" + re.escape(said) + r"\n\Z")

    def test_forgiven(self):
        done = self.status_of(f"local _, err = {FAILED}; err:forgive 'gone is fine'")
        self.assert_status(done, 0)
        self.assertIn("forgiven: ", done.err)
        self.assertIn("gone is fine", done.err)
        done = self.status_of(f"local _, err = {FAILED}; err:forgive 'this one'; {FAILED}")
        self.assert_status(done, 4)
        self.assertIn("1 failed", done.err)
        self.assert_status(self.status_of(f"local _, e = {FAILED}; e:forgive 'x'; os.exit(3)"), 3)

    def test_a_read_that_finds_nothing_is_no_failure(self):
        done = self.status_of(f"assert(widgets.get '{NO_WIDGET}' == nil)")
        self.assertEqual((done.status, done.err), (0, ""))

    def test_precedence(self):
        """10, 8, 5, 6, 9, 4, 1, 3, whatever order they come in."""
        unknown = f"""do local ok, e = {MAKE}; assert(not ok and e.outcome == 'unknown') end"""
        no_list = "pcall(widgets.all)"
        self.sandbox.fault(op="create", kind="drop", times=1000)
        self.sandbox.fault(op="list", kind="502", times=1000)
        bad = self.home / "bad"
        bad.write_text("a-wrong-token")
        wrong = ("pcall(function() turnstile.client { token_file = 'bad', account_id = "
                 "'0123456789abcdef0123456789abcdef' }.widgets.get '" + NO_WIDGET + "' end)")
        for code, status in (
            (f"{FAILED}; {unknown}; {REFUSED}; {no_list}; {wrong}; error 'x'", 10),
            (f"{unknown}; os.exit(3)", 10),
            (f"{FAILED}; {REFUSED}; {no_list}; {wrong}; error 'x'", 8),
            (f"{FAILED}; {no_list}; {REFUSED}; error 'x'", 5),
            (f"{FAILED}; {no_list}; error 'x'", 9),
            (f"{FAILED}; error 'x'", 4),
            (f"{FAILED}; os.exit(3)", 4),
            ("error 'x'", 1),
            ("os.exit(3)", 3),
        ):
            with self.subTest(code):
                self.assert_status(self.status_of(code), status)

    def test_errors_of_tasks_are_heard(self):
        done = self.status_of("task.spawn(function() error 'unheard' end); task.sleep(0)")
        self.assert_status(done, 1)
        self.assertRegex(done.err, r"script\.lua:1: unheard")
        done = self.status_of("local h = task.spawn(function() error 'heard' end); "
                              "print(pcall(h.await, h))")
        self.assert_status(done, 0)
        self.assertEqual(done.err, "")

    def test_tasks_that_await_each_other(self):
        done = self.status_of("local a, b; a = task.spawn(function() b:await() end); "
                              "b = task.spawn(function() a:await() end); a:await()")
        self.assert_status(done, 1)
        self.assertIn("wait for each other", done.err)

    def test_unreachable(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{closed.getsockname()[1]}/client/v4"
        done = self.status_of("print(pcall(widgets.all))", sandbox=url)
        self.assert_status(done, 9)
        self.assertIn("list: ", done.out)
        self.assertIn("tshost: the API cannot be reached: ", done.err)
        done = self.status_of(f"local _, e = widgets.get '{NO_WIDGET}'; print(e.kind, e.retryable)",
                              sandbox=url)
        self.assert_status(done, 9)
        self.assertEqual(done.out, "transport\ttrue\n")
        # A write that never left is surely not applied.
        done = self.status_of(f"local _, e = {MAKE}; print(e.kind, e.outcome)", sandbox=url)
        self.assert_status(done, 9)
        self.assertEqual(done.out, "transport\tnot_applied\n")
        self.assert_status(self.status_of(MAKE, sandbox="https://no-such-host.invalid/"), 9)

    def test_timeout(self):
        self.sandbox.fault(op="any", kind="delay", ms=30000, times=1000)
        done = self.status_of(f"local _, e = widgets.get '{NO_WIDGET}'; print(e.kind)",
                              "--timeout", "0.2")
        self.assertEqual((done.status, done.out), (9, "timeout\n"), done)
        done = self.status_of(f"local _, e = {MAKE}; print(e.kind, e.outcome)", "--timeout=0.2")
        self.assertEqual((done.status, done.out), (10, "timeout\tunknown\n"), done)

    def in_doubt(self, code):
        """Runs the code while no list can be read, so that lost answers cannot be settled."""
        self.sandbox.fault(op="list", kind="502", times=1000)
        done = self.status_of(code, "--max-wait=0.2")
        self.sandbox.ask("DELETE", "/sandbox/faults")
        return done

    def test_unknown_outcome(self):
        """Applied, but the answer was lost, and what came of it cannot be read: the run must say so,
        and must not send it again."""
        self.sandbox.fault(op="create", kind="drop")
        done = self.in_doubt(f"local w, e = {MAKE}; print(w, e.kind, e.outcome)")
        self.assert_status(done, 10)
        self.assertEqual(done.out, "nil\ttransport\tunknown\n")
        self.assertIn("1 in doubt", done.err)
        self.assertRegex(done.err, r"in doubt: .*script\.lua:1: create acme: ")
        self.assertRegex(done.err, r"next: .*tshost resume (\S+) ")
        self.assertEqual(len(self.sandbox.widgets()), 1)
        self.assertEqual(len(self.sandbox.requests("create")), 1)

    def test_an_answer_cut_short(self):
        self.sandbox.fault(op="create", kind="truncate")
        done = self.in_doubt(f"local w, e = {MAKE}; print(w, e.outcome)")
        self.assertEqual((done.status, done.out), (10, "nil\tunknown\n"), done)

    def test_gateway_errors(self):
        self.sandbox.fault(op="create", kind="502")
        done = self.in_doubt(f"local w, e = {MAKE}; print(w, e.kind, e.status, e.outcome)")
        self.assertEqual((done.status, done.out), (10, "nil\thttp\t502\tunknown\n"), done)
        self.sandbox.fault(op="create", kind="429", retry_after=7)
        done = self.status_of(f"local w, e = {MAKE}; print(w, e.status, e.outcome, e.retryable, e)")
        self.assertEqual(done.status, 4, done)
        self.assertIn("nil\t429\tnot_applied\ttrue", done.out)
        self.assertIn("try again in 7 s", done.out)

    def test_incomplete_list(self):
        for i in range(12):
            self.sandbox.create(f"acme {i}")
        for kind in ("502", "drop", "truncate", "429"):
            with self.subTest(kind):
                self.sandbox.fault(op="list", kind=kind, nth=2, times=1000)
                done = self.status_of("local n = 0; print(pcall(function() for w in widgets.list "
                                      "{ per_page = 5 } do n = n + 1 end end)); print(n)")
                self.assert_status(done, 9)
                self.assertTrue(done.out.startswith("false\t"), done)
                self.sandbox.ask("DELETE", "/sandbox/faults")

    def test_full_disk(self):
        for code in ("print(('x'):rep(100))", "io.write 'x'", "print(('x'):rep(1000000))",
                     "for i = 1, 100000 do print(i) end"):
            with self.subTest(code):
                with open("/dev/full", "wb") as full:
                    done = self.run_tshost("-e", code, stdout=full)
                self.assert_status(done, 1)
                self.assertEqual(len(done.lines), 1, done)
                self.assertIn("cannot write to standard output: No space left", done.err)
        for option in ("--help", "--version"):
            with open("/dev/full", "wb") as full:
                done = self.run_tshost(option, stdout=full)
            self.assertNotEqual(done.status, 0)

    def test_closed_pipe(self):
        for code in ("print 'x'", "for i = 1, 100000 do print(i) end"):
            with self.subTest(code):
                reader, writer = os.pipe()
                os.close(reader)
                with os.fdopen(writer, "wb") as pipe:
                    done = self.run_tshost("-e", code, stdout=pipe)
                self.assert_status(done, 1)
                self.assertEqual(len(done.lines), 1, done)
                self.assertIn("Broken pipe", done.err)

    def test_output_lost_after_writes(self):
        with open("/dev/full", "wb") as full:
            done = self.status_of(f"{MAKE}; print 'x'", stdout=full)
        self.assert_status(done, 1)
        self.assertIn("cannot write to standard output", done.err)
        self.assertIn("1 created", done.err)

    def test_summary(self):
        done = self.status_of(f"{MAKE}; {MAKE}; local w = {MAKE}; widgets.update(w, {{ name = 'b' }});"
                              "widgets.update(w, { name = 'b' }); widgets.delete(w)",
                              "--allow=delete")
        self.assert_status(done, 0)
        self.assertRegex(done.err, r"^tshost: 3 created, 1 updated, 1 deleted, 1 unchanged; "
                         r"6 requests in [\d.]+ s; run [\w-]+\n$")
        self.assertEqual(self.status_of(MAKE, "--quiet").err, "")
        done = self.status_of(FAILED, "--quiet")
        self.assertIn(f"update {NO_WIDGET}", done.err)

    def test_summary_tells_reads_from_writes(self):
        self.sandbox.fault(op="get", kind="502", times=1000)
        done = self.status_of("widgets.create { name = 'a', domains = {}, mode = 'managed' };"
                              "for _ = 1, 2 do widgets.get '0x4AAAAAAAAAAAAAAAAAAAAA' end",
                              "--max-wait", "0")
        self.assertIn("tshost: 1 refused, 2 reads failed; ", done.err)

    def test_summary_counts_what_it_does_not_list(self):
        done = self.status_of(f"for _ = 1, 1060 do {FAILED} end")
        self.assert_status(done, 4)
        self.assertIn("1,060 failed", done.err)
        self.assertIn("and 1,040 more", done.err)

    def test_a_script_that_closes_standard_output(self):
        done = self.run_tshost("-e", "print 'x'; io.stdout:close()")
        self.assertEqual((done.status, done.out), (0, "x\n"), done)

    def test_standard_streams_are_missing(self):
        """As cron or a bad shell may start it."""
        for redirection in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            with self.subTest(redirection):
                environment = self.environment(self.sandbox)
                script = self.script(f"local turnstile = require 'turnstile'; "
                                     f"assert(turnstile.widgets.{MAKE.split('.', 1)[1]})")
                command = f'exec "$0" "$1" {redirection}'
                process = self.enterContext(
                    Process(["-c", command, TSHOST, script], environment, self.home,
                            program="/bin/sh"))
                done = process.finish()
                self.assertIn(done.status, (0, 1), done)


if __name__ == "__main__":
    unittest.main()
