# SPDX-License-Identifier: MIT
# --progress: which stream says what in which mode, and what a person sees on a terminal.
import json
import os
import re
import signal
import socket
import subprocess
import unittest

import host
import screen
from slow_server import Gate

PRELUDE = """
local task = require "task"
local items = {}
for i = 1, COUNT do items[i] = i end
"""

# Each item waits until the file is long enough, so that the test decides how far the work is.
STEPS = """
local steps = 0
local function step()
  steps = steps + 1
  local file <close> = assert(io.open "steps")
  while file:seek "end" < steps do task.sleep(0.005) end
end
"""


def prelude(count):
    return PRELUDE.replace("COUNT", str(count)) + STEPS


class Streams(host.Case):
    """Where no terminal is."""

    def test_a_line_every_tenth_and_one_at_the_end(self):
        done = self.run_tshost(self.script(prelude(20) + """
task.each(items, function(i) print(i) end, { progress = "Onboarding" })
"""))
        self.assert_status(done, 0)
        self.assertEqual(done.out, "".join(f"{i}\n" for i in range(1, 21)))
        self.assertEqual(
            [line.split(" done")[0] for line in done.lines],
            [f"Onboarding: {p} %, {p // 5} of 20" for p in range(10, 100, 10)] + ["Onboarding: 20"])
        self.assertRegex(done.lines[-1], r"^Onboarding: 20 done in [\d.]+ s$")

    def test_silence(self):
        script = self.script(prelude(20) + """
task.each(items, function() end, { progress = "Onboarding" })
task.each(items, function() end)
print "done"
""")
        for options in (["--quiet"], ["--progress", "never"], ["--quiet", "--progress", "always"]):
            done = self.run_tshost(*options, script)
            self.assertEqual((done.status, done.out, done.err), (0, "done\n", ""), options)

    def test_failed_items_are_counted(self):
        done = self.run_tshost(self.script(prelude(5) + """
pcall(task.each, items, function(i)
  if i == 3 then error "three" end
  return nil, i == 2 and "an error" or nil
end, { progress = "Job", concurrency = 1 })
"""))
        self.assertRegex(done.err, r"^Job: 3 of 5 done, 2 failed, stopped after [\d.]+ s\n$")

    def test_totals(self):
        done = self.run_tshost(self.script(prelude(20) + """
local i = 0
local function iterator() i = i + 1 return items[i] end
task.each(iterator, function() end, { progress = "Unknown" })
i = 0
task.map(iterator, function() end, { progress = "Told", total = 20 })
task.each(setmetatable({}, { __index = items }), function() end, { progress = "Made up" })
"""))
        self.assert_status(done, 0)
        self.assertEqual(sum(line.startswith("Unknown") for line in done.lines), 1)
        self.assertEqual(sum(line.startswith("Told") for line in done.lines), 10)
        self.assertEqual(sum(line.startswith("Made up: 20 done in") for line in done.lines), 1)

    def test_misuse(self):
        for options, complaint in [
            ("progress = 7", "`progress` must be a"),
            ("progress = ''", "`progress` must be a label"),
            ("total = 1.5", "`total` must be a whole number from 0"),
            ("total = -1", "`total` must be a whole number from 0"),
            ("total = '7'", "`total` must be a whole number from 0"),
        ]:
            done = self.run_tshost("-e", f"require 'task'.each({{}}, print, {{ {options} }})")
            self.assert_status(done, 1)
            self.assertIn(f"(command line):1: task.each: {complaint}", done.err)

    def events(self, text):
        events = [json.loads(line) for line in text.splitlines()]
        self.assertEqual(events[0]["event"], "start")
        self.assertEqual(events[-1]["event"], "end")
        return events

    def test_json_on_standard_error(self):
        done = self.run_tshost("--progress", "json", self.script(prelude(20) + r"""
print "out"
task.each(items, function() end, { progress = 'a "b"\n\255\0' })
"""))
        self.assertEqual((done.status, done.out), (0, "out\n"))
        events = self.events(done.err)
        keys = {"event", "job", "label", "done", "failed", "total", "left", "rate", "budget_left",
                "waiting", "reason", "seconds_left", "elapsed"}
        for event in events:
            self.assertEqual(set(event) - {"complete"}, keys)
            self.assertEqual(event["label"], 'a "b"\n\ufffd\0')
        last = events[-1]
        self.assertEqual((last["done"], last["left"], last["complete"]), (20, 0, True))

    def test_json_on_a_descriptor_of_its_own(self):
        script = self.script(prelude(20) + """
task.each(items, function() end, { progress = "Onboarding" })
print((os.execute("test -e /proc/self/fd/" .. arg[1])))
""")
        reading, writing = os.pipe()
        with subprocess.Popen(
                [host.TSHOST, "--quiet", "--progress", f"json:{writing}", script, str(writing)],
                env=self.environment(), pass_fds=[writing], stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True) as process:
            os.close(writing)
            with open(reading, encoding="utf-8") as file:
                text = file.read()
            out, err = process.communicate(timeout=host.PATIENCE)
        self.assertEqual((process.returncode, out, err), (0, "nil\n", ""))  # commands have it not
        self.assertEqual(self.events(text)[0]["label"], "Onboarding")

    def test_descriptors_that_will_not_do(self):
        for value, complaint in [
            ("json:1", "standard output is for results"),
            ("json:77", "descriptor 77 is not open for writing"),
            ("json:", "auto, always, plain, json, json:FD or never expected"),
            ("json:-3", "auto, always, plain, json, json:FD or never expected"),
        ]:
            done = self.run_tshost("--progress", value, "-e", "print 'ran'")
            self.assertEqual((done.status, done.out), (2, ""), value)
            self.assertIn(f"--progress {value}: {complaint}", done.err)

    def test_a_reader_who_left_costs_nothing(self):
        script = self.script(prelude(20) + """
task.each(items, function() task.sleep(0.02) end, { progress = "Onboarding", concurrency = 1 })
print "done"
""")
        reading, writing = os.pipe()
        os.close(reading)
        full = os.open("/dev/full", os.O_WRONLY)
        for fd in (writing, full):
            result = subprocess.run(
                [host.TSHOST, "--progress", f"json:{fd}", script], env=self.environment(),
                pass_fds=[fd], capture_output=True, text=True, timeout=host.PATIENCE, check=False)
            os.close(fd)
            self.assertEqual((result.returncode, result.stdout, result.stderr), (0, "done\n", ""))


class OnTerminal(host.Case):
    """What is left on the screen, and what is there meanwhile."""

    def open(self, text, *options, columns=80, environment=None, **streams):
        self.step(0)
        environment = self.environment(**{"TERM": "xterm", **(environment or {})})
        return self.enterContext(screen.Terminal(
            [host.TSHOST, *options, self.script(text)], environment, self.home, columns,
            **streams))

    def step(self, count=1):
        """Lets a script go on that calls `step`."""
        with (self.home / "steps").open("a", encoding="utf-8") as file:
            file.write("." * count)

    def test_the_line_goes_and_the_last_word_stays(self):
        terminal = self.open(prelude(40) + """
print "before"
task.each(items, function() step() end, { progress = "Onboarding", concurrency = 1 })
print "behind"
""")
        terminal.wait_for(r"^Onboarding: 0/40, 0 failed, 40 left, 0/s$")
        self.step(10)
        terminal.wait_for(r"^Onboarding: \d+/40, 0 failed, \d+ left, .*~")
        self.step(30)
        self.assertEqual(terminal.finish(), 0)
        rows = terminal.screen.text
        self.assertEqual([rows[0], rows[2:]], ["before", ["behind", ""]])
        self.assertRegex(rows[1], r"^Onboarding: 40 done in [\d.]+ s$")

    def test_output_and_the_line_do_not_mix(self):
        terminal = self.open(prelude(60) + """
task.each(items, function(i)
  task.sleep(0.01)
  print("printed " .. i)
  io.write("part ") io.stdout:flush() io.write("of " .. i .. "\\n")
  io.stderr:write("said ", tostring(i), "\\n")
end, { progress = "Onboarding", concurrency = 1 })
""", "--verbose")
        self.assertEqual(terminal.finish(), 0)
        rows = terminal.screen.text
        expected = [line for i in range(1, 61) for line in (f"printed {i}", f"part of {i}", f"said {i}")]
        self.assertEqual(rows[:180], expected)
        self.assertRegex(rows[180], "^Onboarding: 60 done in")
        self.assertEqual(rows[181:], [""])
        self.assertIn(b"Onboarding: 0/60", terminal.bytes)

    def test_standard_output_elsewhere_has_nothing_of_it(self):
        path = self.home / "out"
        with path.open("w", encoding="utf-8") as out:
            terminal = self.open(prelude(30) + """
task.each(items, function(i) task.sleep(0.01) print(i) end,
  { progress = "Onboarding", concurrency = 1 })
""", stdout=out)
            self.assertEqual(terminal.finish(), 0)
        self.assertEqual(path.read_text(encoding="utf-8"), "".join(f"{i}\n" for i in range(1, 31)))
        self.assertEqual(len(terminal.screen.text), 2)

    def test_a_window_that_changes(self):
        terminal = self.open(prelude(9000) + """
print(("x"):rep(70))
task.each(items, function() step() end, { progress = "Onboarding", concurrency = 1 })
""")
        terminal.wait_for(r"^Onboarding: 0/9,000, 0 failed, 9,000 left, 0/s$")
        terminal.resize(30)
        self.step()
        terminal.wait_for(r"^Onboarding: 1/9,000, 0 failed$")
        self.assertEqual(terminal.screen.text,
                         ["x" * 30, "x" * 30, "x" * 10, "Onboarding: 1/9,000, 0 failed"])
        terminal.resize(12)
        self.step()
        terminal.wait_for(r"^Onboardi\.\.\.$")
        self.assertEqual(terminal.screen.text[-1], "Onboardi...")
        self.assertEqual(sum("On" in row for row in terminal.screen.text), 1)
        terminal.resize(100)
        self.step()
        terminal.wait_for(r"^Onboarding: 3/9,000, 0 failed, 8,997 left, .*~")
        self.assertEqual(sum("On" in row for row in terminal.screen.text), 1)
        terminal.signal()
        self.assertEqual(terminal.finish(), 130)

    def test_it_is_redrawn_while_nothing_happens(self):
        terminal = self.open("""
local task = require "task"
task.each({ 1 }, function() task.sleep(2.5) end, { progress = "Slow" })
""")
        self.assertEqual(terminal.finish(), 0)
        redraws = terminal.bytes.count(b"Slow: 0/1")
        self.assertGreaterEqual(redraws, 2)  # the script ran for two and a half seconds
        self.assertRegex(terminal.screen.text[0], "^Slow: 1 done in")

    def test_a_deadlock_is_still_found(self):
        terminal = self.open("""
local task = require "task"
local one, two
one = task.spawn(function() two:await() end)
two = task.spawn(function() one:await() end)
task.each({ 1 }, function() one:await() end, { progress = "Stuck" })
""")
        self.assertEqual(terminal.finish(), 1)
        self.assertIn("wait for each other", " ".join(terminal.screen.text))
        self.assertFalse([row for row in terminal.screen.text if row.startswith("Stuck: 0/1")])

    def test_jobs_inside_jobs(self):
        terminal = self.open(prelude(2) + """
task.each(items, function()
  task.each(items, function() step() end, { progress = "Domains", concurrency = 1 })
  step()
end, { progress = "Tenants", concurrency = 1 })
""")
        terminal.wait_for(r"^Tenants: 0/2, 0 failed, 2 left, .* > Domains: 0/2$")
        self.step(2)
        terminal.wait_for(r"^Tenants: 0/2, 0 failed, 2 left, 0/s$")
        self.step(4)
        self.assertEqual(terminal.finish(), 0)
        self.assertRegex("|".join(terminal.screen.text), r"^Tenants: 2 done in [\d.]+ s\|$")

    def test_errors_and_signals_clear_it_first(self):
        failing = self.open(prelude(30) + """
task.each(items, function(i)
  task.sleep(0.01)
  if i == 20 then error "broken" end
end, { progress = "Onboarding", concurrency = 1 })
""")
        self.assertEqual(failing.finish(), 1)
        self.assertRegex(failing.screen.text[0], r"^Onboarding: 20 of 30 done, 1 failed, stopped after")
        self.assertRegex(failing.screen.text[1], r"^tshost: .*script.lua:\d+: broken$")
        self.assertEqual(failing.screen.text[2:], [""])
        stopped = self.open(prelude(30) + """
task.each(items, function() task.sleep(100) end, { progress = "Onboarding" })
""")
        stopped.wait_for("^Onboarding: 0/30")
        stopped.signal()
        self.assertEqual(stopped.finish(), 130)
        self.assertRegex(stopped.screen.text[0], r"^Onboarding: \d+ of 30 done, .*stopped after")
        self.assertRegex(stopped.screen.text[1], r"^tshost: interrupted by SIGINT")

    def test_what_is_in_flight_is_waited_for_as_stopping(self):
        with Gate() as server:
            text = prelude(50) + """
local widgets = require "turnstile".widgets
task.each(items, function() return widgets.create {
  name = "acme", domains = { "acme.example" }, mode = "managed" }
end, { progress = "Creating", concurrency = 1 })
"""
            terminal = self.open(text, environment=self.environment(
                CLOUDFLARE_BASE_URL=server.url, CLOUDFLARE_API_TOKEN=host.TOKEN,
                CLOUDFLARE_ACCOUNT_ID=host.ACCOUNT))
            terminal.wait_for("^Creating: 0/50")
            self.assertTrue(server.is_asked.wait(host.PATIENCE))
            terminal.signal()
            terminal.wait_for(r"^Creating: 0/50, 0 failed, 50 left, stopping$")
            server.open()
            self.assertEqual(terminal.finish(), 130)
            self.assertRegex("\n".join(terminal.screen.text), r"tshost: 1 created")

    def test_a_second_signal_leaves_no_line_behind(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            url = f"http://127.0.0.1:{silent.getsockname()[1]}/client/v4"
            terminal = self.open("""
local task, widgets = require "task", require "turnstile".widgets
task.each({ "0x4AAAAAAAAAAAAAAAAAAAAA" }, widgets.get, { progress = "Reading" })
""", environment=self.environment(CLOUDFLARE_BASE_URL=url, CLOUDFLARE_API_TOKEN=host.TOKEN,
                                  CLOUDFLARE_ACCOUNT_ID=host.ACCOUNT))
            terminal.wait_for("^Reading: 0/1")
            with silent.accept()[0]:
                terminal.signal()
                terminal.wait_for("stopping$")
                terminal.signal()
                self.assertEqual(terminal.finish(), 130)
        self.assertNotIn("Reading", "\n".join(terminal.screen.text))

    def test_plain_where_the_terminal_cannot(self):
        text = prelude(20) + """
task.each(items, function() task.sleep(0) end, { progress = "Onboarding" })
"""
        for term in ("dumb", "", None):
            terminal = self.open(text, environment={"TERM": term})
            self.assertEqual(terminal.finish(), 0)
            self.assertNotIn(b"\x1b", terminal.bytes)
            self.assertEqual(len(terminal.screen.text), 11)

    def test_modes_that_are_asked_for(self):
        text = prelude(20) + """
task.each(items, function() task.sleep(0) end, { progress = "Onboarding" })
"""
        plain = self.open(text, "--progress", "plain")
        self.assertEqual(plain.finish(), 0)
        self.assertNotIn(b"\x1b", plain.bytes)
        for options in (["--progress", "never"], ["--quiet"]):
            silent = self.open(text, *options)
            self.assertEqual((silent.finish(), silent.bytes), (0, b""))
        done = self.run_tshost("--progress", "always", self.script(text))
        self.assertIn("\x1b[?7lOnboarding: 0/20", done.err)

    def test_labels_of_all_kinds(self):
        label = "漢字漢字 \\27[2J " + "x" * 100
        terminal = self.open(prelude(3) + f"""
task.each(items, function() task.sleep(0.15) end, {{ progress = "{label}", concurrency = 1 }})
""", columns=40)
        terminal.wait_for("^漢字漢字 .*x\\.\\.\\.$")
        self.assertEqual(terminal.finish(), 0)
        drawn = re.findall(r"\x1b\[\?7l(.*?)\x1b\[J", terminal.bytes.decode())
        self.assertTrue(drawn)
        for line in drawn:
            self.assertLess(len(line) + 4, 40)  # four characters are two columns wide


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    unittest.main()
