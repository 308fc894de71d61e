# SPDX-License-Identifier: MIT
"""SIGINT, SIGTERM, SIGHUP: what is in flight is finished, nothing new is started, the summary is
printed; a second signal leaves at once."""

import os
import signal
import socket
import unittest
from pathlib import Path

from host import SECRET, Case, Sandbox

CREATE = ("widgets.create { name = %s, domains = { 'a.example' }, mode = 'managed' }")
STOPS = ((signal.SIGINT, "SIGINT", 130), (signal.SIGTERM, "SIGTERM", 143),
         (signal.SIGHUP, "SIGHUP", 143))


class Stop(Case):
    def setUp(self):
        super().setUp()
        # Inherited by what is started: the tests may themselves run under nohup.
        old = signal.signal(signal.SIGHUP, signal.SIG_DFL)
        self.addCleanup(signal.signal, signal.SIGHUP, old)
        self.sandbox = self.enterContext(Sandbox())

    def begin(self, code, *options, lines=1, **more):
        """Starts a script and waits until it has printed that many lines."""
        prelude = ('io.stdout:setvbuf "line"; local turnstile, task = require "turnstile", '
                   'require "task"; local widgets = turnstile.widgets; ')
        script = self.script(prelude + code)
        process = self.start(*options, script, **{"sandbox": self.sandbox, **more})
        process.wait_for_line(lines)
        return process

    def stop(self, process, number=signal.SIGTERM):
        process.signal(number)
        done = process.finish()
        self.check_secrets(done)
        return done

    def slow(self, operation, ms=300):
        self.sandbox.fault(op=operation, kind="delay", ms=ms, times=100000)

    def test_in_flight_is_finished_and_nothing_new_is_started(self):
        self.slow("create")
        code = """
          local names, starts = {}, 0
          for i = 1, 100 do names[i] = 'n' .. i end
          task.spawn(function() task.sleep(0) print(starts .. ' under way') end)
          task.each(names, function(name)
            starts = starts + 1
            local w = assert(%s)
            print(starts .. ' started')
            assert(widgets.get(w.sitekey))
          end, { concurrency = 4 })""" % (CREATE % "name")
        for number, name, status in STOPS:
            with self.subTest(name):
                before = len(self.sandbox.widgets())
                gets = len(self.sandbox.requests("get"))
                process = self.begin(code)
                done = self.stop(process, number)
                self.assert_status(done, status)
                # All that were started came back, and none was started after the signal.
                self.assertEqual(done.out, "4 under way\n" + 4 * "4 started\n")
                self.assertEqual(len(self.sandbox.widgets()) - before, 4)
                self.assertEqual(len(self.sandbox.requests("get")), gets)
                self.assertIn(f"tshost: interrupted by {name}; nothing is in flight", done.err)
                self.assertIn("4 created", done.err)

    def test_what_has_not_left_is_withdrawn(self):
        """Work that was not begun is no list of failures."""
        self.slow("create")
        process = self.begin("""
          task.spawn(function() task.sleep(0) print "under way" end)
          task.each({ 1, 2, 3, 4, 5, 6 }, function() %s end)""" % (CREATE % "'queued'"),
                             "--concurrency", "2")
        done = self.stop(process)
        self.assert_status(done, 143)
        self.assertIn("tshost: 2 created, 4 withdrawn; 2 requests", done.err)
        self.assertNotIn("failed", done.err)

    def test_a_terminal_that_goes_away(self):
        self.slow("create")
        process = self.begin("print 'start'; assert(%s)" % (CREATE % "'hung up'"))
        process.signal(signal.SIGHUP)
        process.signal(signal.SIGHUP)  # from the kernel, and from the shell
        done = process.finish()
        self.assert_status(done, 143)
        self.assertNotIn("in doubt", done.err)

    def test_nohup_outlives_its_terminal(self):
        self.slow("create")
        old = signal.signal(signal.SIGHUP, signal.SIG_IGN)
        try:
            process = self.begin("print 'start'; assert(%s); print 'end'" % (CREATE % "'nohup'"))
        finally:
            signal.signal(signal.SIGHUP, old)
        process.signal(signal.SIGHUP)
        done = process.finish()
        self.assert_status(done, 0)
        self.assertEqual(done.out, "start\nend\n")

    def test_those_in_the_queue_are_not_sent(self):
        self.slow("create")
        process = self.begin("""
          for i = 1, 50 do task.spawn(function() %s end) end
          task.sleep(0)
          print 'start'""" % (CREATE % "'q' .. i"), "--concurrency", "3")
        done = self.stop(process)
        self.assert_status(done, 143)
        self.assertEqual(len(self.sandbox.requests("create")), 3)
        self.assertIn("3 created", done.err)
        self.assertNotIn("in doubt", done.err)

    def test_the_secret_of_the_last_widget_is_written(self):
        self.slow("create")
        process = self.begin("""
          task.spawn(function() task.sleep(0) print 'start' end)
          local w = assert(%s)
          assert(w.secret:write 'secret')
          assert(widgets.get(w.sitekey))
          print 'not here'""" % (CREATE % "'last'"))
        done = self.stop(process, signal.SIGINT)
        self.assert_status(done, 130)
        self.assertNotIn("not here", done.out)
        self.assertRegex(Path(self.home, "secret").read_text(), SECRET)

    def test_pcall_cannot_swallow_the_stop(self):
        key = self.sandbox.create()["sitekey"]
        for loop in (
            f"while true do pcall(widgets.get, '{key}') end",
            f"while true do xpcall(widgets.get, function(m) return m end, '{key}') end",
            f"while true do pcall(function() while true do pcall(widgets.get, '{key}') end end) end",
            f"while true do coroutine.resume(coroutine.create(widgets.get), '{key}') end",
            f"while true do pcall(coroutine.wrap(function() widgets.get '{key}' end)) end",
            f"while true do pcall(task.each, {{ '{key}' }}, widgets.get) end",
            f"while true do local h = task.spawn(widgets.get, '{key}'); pcall(h.await, h) end",
            "while true do pcall(task.sleep, 1000) end",
            "while true do pcall(task.sleep, 0) end",
        ):
            with self.subTest(loop):
                process = self.begin("print 'start'; " + loop)
                done = self.stop(process)
                self.assert_status(done, 143)

    def test_a_script_that_only_computes(self):
        for number, name, status in STOPS:
            done = self.stop(self.begin("print 'start'; while true do end"), number)
            self.assert_status(done, status)
            self.assertIn(f"interrupted by {name}", done.err)
        for loop in (
            "while true do pcall(function() while true do end end) end",
            "while true do coroutine.wrap(function() for _ = 1, 1000 do end end)() end",
            "while true do coroutine.resume(coroutine.create(function() while true do end end)) end",
            "while true do pcall(error, 'x') end",
            "task.spawn(function() while true do end end); task.sleep(1000)",
            "local t = {}; while true do table.sort({ 3, 1, 2 }, function(a, b) return a < b end) end",
        ):
            with self.subTest(loop):
                self.assert_status(self.stop(self.begin("print 'start'; " + loop)), 143)

    def test_what_is_open_is_closed(self):
        """To-be-closed values and files see the stop."""
        for wait in ("task.sleep(1000)", "while true do end", "widgets.get(KEY)"):
            with self.subTest(wait):
                self.slow("get")
                process = self.begin("""
                  local KEY = '0x4AAAAAAAAAAAAAAAAAAAAA'
                  local file <close> = assert(io.open('out', 'w'))
                  local x <close> = setmetatable({}, { __close = function(_, err)
                    file:write('closed ', tostring(err):match('%%a+'))
                    print 'closed'
                  end })
                  print 'start'
                  while true do %s end""" % wait)
                done = self.stop(process)
                self.assert_status(done, 143)
                self.assertEqual(done.out, "start\nclosed\n")
                self.assertEqual(Path(self.home, "out").read_text(), "closed interrupted")

    def test_sleepers_wake(self):
        process = self.begin("for i = 1, 100 do task.spawn(task.sleep, 100000) end; print 'start'; "
                             "task.sleep(100000)")
        self.assert_status(self.stop(process), 143)

    def test_waiting_for_standard_input(self):
        reader = self.begin("print 'start'; while true do io.read() end", stdin=-1)
        self.assert_status(self.stop(reader), 143)

    def test_a_write_without_an_answer(self):
        """The stop waits for it as long as the request may take, then says that it is unknown."""
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/client/v4"
            process = self.begin("print 'start'; " + CREATE % "'x'", "--timeout", "0.5", sandbox=url)
            connection, _ = silent.accept()
            with connection:
                connection.recv(65536)
                done = self.stop(process)
        self.assert_status(done, 10)
        self.assertIn("1 in doubt", done.err)

    def test_the_second_signal_leaves_at_once(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/client/v4"
            process = self.begin("print 'start'; " + CREATE % "'x'", sandbox=url)
            connection, _ = silent.accept()
            with connection:
                connection.recv(65536)
                process.signal(signal.SIGINT)
                self.wait_until_seen(process)
                process.signal(signal.SIGTERM)
                done = process.finish()
        self.assert_status(done, 143)

    def wait_until_seen(self, process):
        """Until no signal is pending any more: two at once would be one."""
        status = Path(f"/proc/{process.process.pid}/status")
        while any(int(line.split()[1], 16)
                  for line in status.read_text().splitlines() if line.startswith(("ShdPnd", "SigPnd"))):
            pass

    def test_a_finished_run_is_not_interrupted(self):
        done = self.lua("print 'x'", sandbox=self.sandbox)
        self.assertEqual((done.status, done.err), (0, ""))

    def test_commands_of_a_script_are_not_ours_to_stop(self):
        """secret:pipe: the command that reads a secret is finished like a request."""
        process = self.begin("""
          local w = assert(%s)
          task.spawn(function() task.sleep(0) print 'start' end)
          assert(w.secret:pipe { 'sh', '-c', 'read line < go; cat > piped' })
          print 'piped'
          widgets.get(w.sitekey)
          print 'not here'""" % ("(os.execute 'mkfifo go') and " + CREATE % "'x'"))
        process.signal(signal.SIGTERM)
        fifo = os.open(self.home / "go", os.O_RDWR)  # does not wait for the reader
        self.addCleanup(os.close, fifo)
        os.write(fifo, b"x\n")
        done = process.finish()
        self.assert_status(done, 143)
        self.assertEqual(done.out, "start\npiped\n")
        self.assertRegex(Path(self.home, "piped").read_text(), SECRET)

    def test_the_sandbox_of_the_run_ends_with_it(self):
        process = self.begin("assert(%s); print 'start'; task.sleep(1000)" % (CREATE % "'x'"),
                             "--sandbox", sandbox=None)
        done = self.stop(process)
        self.assert_status(done, 143)
        self.assertIn("1 created", done.err)


if __name__ == "__main__":
    unittest.main()
