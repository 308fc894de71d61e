# SPDX-License-Identifier: MIT
"""One run at a time for each account: who is kept out, what is said, waiting, and that nothing that
happens to a run leaves its account locked."""

import datetime
import os
import re
import signal
import subprocess
import time
import unittest

from host import ACCOUNT, PATIENCE, Case, Sandbox

OTHER = "fedcba9876543210fedcba9876543210"
KILLS = 100
RACERS = 24

# Takes the account, says so, and keeps it until its standard input ends.
HOLD = """
require "turnstile".client {}
print "up"
io.stdout:flush()
io.read "a"
"""


class Locked(Case):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox())
        self.hold = self.script(HOLD, "hold.lua")

    def holder(self, *options, script=None, **more):
        """A run that has the account when this returns."""
        run = self.start(*options, script or self.hold, stdin=subprocess.PIPE,
                         **{"sandbox": self.sandbox, **more})
        self.assertEqual(run.wait_for_line(), "up")
        return run

    def look(self, *options, code="widgets.all()", **more):
        return self.lua(code, *options, **{"sandbox": self.sandbox, **more})

    def assert_kept_out(self, done, holder):
        self.assert_status(done, 7)
        self.assertIn(f"pid {holder.process.pid}, ", done.err)

    def lock_files(self):
        return list((self.home / "tshost").glob("lock-*"))


class WhoIsKeptOut(Locked):
    def test_the_second_is_told_who_has_it_and_what_to_do(self):
        began = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
        holder = self.holder("--concurrency", "2", script="hold.lua")
        before = self.sandbox.requests()
        done = self.look()
        self.assert_kept_out(done, holder)
        self.assertEqual(len(done.lines), 2, done)
        self.assertRegex(done.lines[1], r"^  next: \S+ .*--if-locked wait=10m \S*script\.lua")
        found = re.search(rf"script\.lua:1: another run has account {ACCOUNT} at .*: "
                          r"pid \d+, hold\.lua, since (\S+) \(\d[\d.]* s ago\);", done.err)
        self.assertIsNotNone(found, done)
        since = datetime.datetime.strptime(found[1], "%Y-%m-%dT%H:%M:%S%z")
        self.assertLessEqual(began, since)
        self.assertLessEqual(since, datetime.datetime.now(datetime.timezone.utc))
        for step in ("--read-only", "--if-locked wait=10m", "--if-locked skip"):
            self.assertIn(step, done.err)
        self.assertEqual(self.sandbox.requests(), before)
        self.assert_status(holder.finish(), 0)
        self.assert_status(self.look(), 0)

    def test_no_script_talks_its_way_in(self):
        holder = self.holder()
        before = self.sandbox.requests()
        for code in ("for _ = 1, 3 do pcall(widgets.all) end os.exit(0)",
                     "pcall(widgets.get, 'x'); pcall(turnstile.client, {})",
                     "for i = 1, 20 do task.spawn(function() pcall(widgets.all) end) end",
                     "coroutine.wrap(pcall)(widgets.all); os.exit(3)"):
            with self.subTest(code):
                done = self.look(code=code)
                self.assert_kept_out(done, holder)
                self.assertEqual(done.err.count("another run has"), 1, done)
                self.assertIn("  locked: ", done.err)
        self.assertEqual(self.sandbox.requests(), before)

    def test_what_was_refused_once_stays_so(self):
        holder = self.holder()
        second = self.start(self.script("""
          local turnstile = require "turnstile"
          print(pcall(turnstile.widgets.all))
          io.stdout:flush()
          io.read "a"
          print(pcall(turnstile.widgets.all))
          print(pcall(turnstile.client, {})) """, "second.lua"),
                            stdin=subprocess.PIPE, sandbox=self.sandbox)
        second.wait_for_line()
        self.assert_status(holder.finish(), 0)
        before = self.sandbox.requests()
        done = second.finish()
        self.assert_kept_out(done, holder)
        self.assertEqual(done.out.count("another run has"), 3, done)
        self.assertEqual(self.sandbox.requests(), before)

    def test_a_run_that_has_written_is_named_as_in_the_journal(self):
        script = self.script("""
          local fields = { name = "acme", domains = { "acme.example" }, mode = "managed" }
          assert(require "turnstile".widgets.create(fields))""" + HOLD, "writes.lua")
        holder = self.holder(script=script)
        done = self.look()
        self.assert_kept_out(done, holder)
        self.assertRegex(done.err, r"pid \d+, run \d{8}-\d{6}-\w+, .*/writes\.lua, since")

    def test_who_only_reads_needs_no_lock_and_has_none(self):
        reader = self.holder("--read-only")
        self.assertEqual(self.lock_files(), [])
        writer = self.holder()
        self.assert_status(self.look("--read-only"), 0)
        self.assert_status(self.run_tshost("doctor", sandbox=self.sandbox), 0)
        self.assert_kept_out(self.look(), writer)
        self.assert_status(reader.finish(), 0)

    def test_a_run_without_calls_takes_none(self):
        self.holder()
        self.assert_status(self.look(code="print(1)"), 0)

    def test_siteverify_needs_none(self):
        self.holder()
        code = "print(turnstile.siteverify { secret = 'made-up', response = 'x' })"
        self.assert_status(self.look(code=code), 0)

    def test_the_account_counts_not_its_spelling(self):
        holder = self.holder("--account", ACCOUNT.upper())
        for url in (self.sandbox.url + "/", self.sandbox.url.replace("http:", "HTTP:"),
                    self.sandbox.url.replace("127.0.0.1", "127.1")):
            with self.subTest(url):
                self.assert_kept_out(self.look("--base-url", url), holder)
        self.assert_kept_out(self.look(environment={"CLOUDFLARE_API_TOKEN": "another"}), holder)
        with Sandbox() as elsewhere:
            self.assert_status(self.look(sandbox=elsewhere), 0)

    def test_each_account_of_a_run_is_locked_once(self):
        script = self.script(f"""
          local turnstile = require "turnstile"
          turnstile.widgets.all()
          for _ = 1, 3 do
            turnstile.client {{ account_id = "{OTHER}" }}
            turnstile.client {{ account_id = "{ACCOUNT}" }}.widgets.all()
          end """ + HOLD, "both.lua")
        holder = self.holder(script=script)
        self.assertEqual(len(self.lock_files()), 2)
        self.assert_kept_out(self.look(), holder)
        self.assert_kept_out(self.look("--account", OTHER), holder)
        third = "0" * 32
        code = f"""
          print(pcall(turnstile.client, {{ account_id = "{OTHER}" }}))
          turnstile.client {{ account_id = "{third}" }}
          print "went on" """
        done = self.look(code=code)
        self.assert_kept_out(done, holder)
        self.assertIn("went on", done.out)

    def test_a_sandbox_in_a_file_is_locked_by_its_real_path(self):
        (self.home / "real").mkdir()
        (self.home / "link").symlink_to("real")
        holder = self.holder("--sandbox=real/a.db", sandbox=None)
        for file in ("real/a.db", "link/a.db", str(self.home / "link" / ".." / "real" / "a.db")):
            with self.subTest(file):
                done = self.look(f"--sandbox={file}", sandbox=None)
                self.assert_kept_out(done, holder)
                self.assertIn("in the sandbox ", done.err)
        for option in ("--sandbox=real/b.db", "--sandbox"):
            self.assert_status(self.look(option, sandbox=None), 0)

    def test_a_sandbox_of_the_run_is_nobody_elses(self):
        holder = self.holder("--sandbox", sandbox=None)
        self.assert_status(self.look("--sandbox", sandbox=None), 0)
        self.assertFalse((self.home / "tshost").exists())
        self.assert_status(holder.finish(), 0)

    def test_of_many_one_wins(self):
        runs = [self.start(self.hold, stdin=subprocess.PIPE, sandbox=self.sandbox)
                for _ in range(RACERS)]
        said = [run.process.stdout.readline() for run in runs]
        self.assertEqual(sorted(said), [b""] * (RACERS - 1) + [b"up\n"])
        winner = runs[said.index(b"up\n")]
        for run in runs:
            if run is not winner:
                self.assert_kept_out(run.finish(), winner)
        self.assert_status(winner.finish(), 0)

    def test_files_are_the_users_alone_and_name_no_arguments(self):
        umask = os.umask(0)
        try:
            script = self.script("io.read 'l' " + HOLD, "x.lua")
            run = self.start(script, "made-up-argument", stdin=subprocess.PIPE,
                             sandbox=self.sandbox)
        finally:
            os.umask(umask)
        run.process.stdin.write(b"\n")
        run.process.stdin.flush()
        run.wait_for_line()
        (file,) = self.lock_files()
        self.assertEqual(file.stat().st_mode, 0o100600)
        self.assertNotIn("made-up-argument", file.read_text(encoding="utf-8"))
        self.assertIn("x.lua", file.read_text(encoding="utf-8"))

    def test_code_of_the_command_line_is_not_shown(self):
        run = self.start("-e", "local made_up_name; " + HOLD, stdin=subprocess.PIPE,
                         sandbox=self.sandbox)
        run.wait_for_line()
        done = self.look()
        self.assert_kept_out(done, run)
        self.assertIn(f"pid {run.process.pid}, -e, since", done.err)
        self.assertNotIn("made_up_name", done.err)

    def test_hostile_names_stay_in_their_line(self):
        name = "a\nend .\n\x1b[2Jtshost-lock 1\n" + "x" * 150 + ".lua"
        holder = self.holder(script=self.script(HOLD, name))
        done = self.look()
        self.assert_kept_out(done, holder)
        self.assertEqual(len(done.lines), 2, done)
        self.assertNotIn("\x1b", done.err)
        self.assertIn("xxx.lua, since", done.err)

    def test_a_holder_that_cannot_be_read_still_holds(self):
        self.holder()
        (file,) = self.lock_files()
        whole = file.read_bytes()
        for text in (b"", whole[:20], whole[:-1], b"\xff" * 2000):
            with self.subTest(text):
                file.write_bytes(text)
                done = self.look()
                self.assert_status(done, 7)
                self.assertIn("it has not said who it is", done.err)

    def test_a_link_in_the_place_of_the_file(self):
        self.assert_status(self.look(), 0)
        (file,) = self.lock_files()
        target = self.home / "target"
        target.write_text("precious", encoding="utf-8")
        file.unlink()
        file.symlink_to(target)
        done = self.lua("widgets.create { name = 'a', domains = { 'a.example' }, mode = 'managed' }",
                        sandbox=self.sandbox)
        self.assert_status(done, 9)
        self.assertIn("other runs cannot be kept out of account", done.err)
        self.assertIn("cannot open", done.err)
        self.assertEqual(target.read_text(encoding="utf-8"), "precious")
        self.assertNotIn("create", {op for op, _ in self.sandbox.requests()})

    def test_what_is_wrong_with_the_configuration_comes_first(self):
        self.holder()
        self.assert_status(self.look(environment={"CLOUDFLARE_API_TOKEN": None}), 8)
        self.assert_status(self.look("--account", "nonsense", "--if-locked", "wait=1h"), 2)
        self.assertEqual(len(self.lock_files()), 1)
        for how in ("wait", "wait=", "wait=0s", "wait=10", "wait=m", "wait=1.5h", "wait=25h",
                    "wait=-1s", "wait=99999999999999999999s", "wait=1ss", "skip=1", "no", ""):
            with self.subTest(how):
                done = self.look("--if-locked", how)
                self.assert_status(done, 2)
                self.assertIn("wait=10m", done.err)


class IfLocked(Locked):
    def test_skip_ends_the_run_at_once(self):
        holder = self.holder()
        before = self.sandbox.requests()
        for code in ("widgets.all() print 'not here'",
                     "pcall(widgets.all) print 'not here'",
                     "for i = 1, 20 do task.spawn(function() pcall(widgets.all) print 'no' end) end"):
            with self.subTest(code):
                done = self.look("--if-locked", "skip", code=code)
                self.assert_status(done, 0)
                self.assertEqual(done.out, "")
                self.assertEqual(len(done.lines), 1, done)
                self.assertIn("tshost: skipped", done.err)
                self.assertIn(f"pid {holder.process.pid}, ", done.err)
        done = self.look("--if-locked", "skip", "--quiet")
        self.assertEqual((done.status, done.out, done.err), (0, "", ""))
        self.assertEqual(self.sandbox.requests(), before)

    def test_skip_hides_no_failure(self):
        self.holder("--account", OTHER)
        code = f"""
          widgets.update("0x4AAAAAAAAAAAAAAAAAAAAA", {{ name = "x" }})
          turnstile.client {{ account_id = "{OTHER}" }}"""
        done = self.look("--if-locked", "skip", code=code)
        self.assert_status(done, 4)
        self.assertIn("1 failed", done.err)

    def test_skip_does_nothing_where_nobody_is(self):
        done = self.look("--if-locked", "skip", code="widgets.all() print 'here'")
        self.assertEqual((done.status, done.out), (0, "here\n"))

    def waiting(self, *options, code=HOLD):
        """A run that has said that it waits."""
        err = self.home / "waiting.err"
        os.mkfifo(err)
        run = self.start("-c", 'exec "$0" "$@" 2>waiting.err', os.environ["TSHOST"], "--if-locked",
                         *options, self.script(code, "second.lua"), program="/bin/sh",
                         stdin=subprocess.PIPE, sandbox=self.sandbox)
        stream = self.enterContext(open(err, encoding="utf-8"))
        return run, stream, stream.readline()

    def test_wait_goes_on_when_the_other_has_ended(self):
        holder = self.holder()
        before = len(self.sandbox.requests())
        run, stream, line = self.waiting("wait=1h")
        self.assertIn(f"pid {holder.process.pid}, {self.hold}, since", line)
        self.assertIn("waiting for it, for up to 1 h", line)
        self.assertEqual(len(self.sandbox.requests()), before)
        holder.signal(signal.SIGKILL)
        holder.finish()
        self.assertEqual(run.wait_for_line(), "up")
        self.assert_kept_out(self.look(), run)
        self.assert_status(run.finish(), 0)
        self.assertEqual(stream.read(), "")

    def test_wait_ends(self):
        holder = self.holder()
        before = self.sandbox.requests()
        done = self.look("--if-locked", "wait=1s", code="pcall(widgets.all) pcall(widgets.all)")
        self.assert_kept_out(done, holder)
        self.assertEqual(done.err.count("waiting for it"), 1, done)
        self.assertIn(", also after 1", done.err)
        done = self.look("--if-locked", "wait=1s", "--quiet")
        self.assert_kept_out(done, holder)
        self.assertEqual(len(done.lines), 1, done)
        self.assertEqual(self.sandbox.requests(), before)

    def test_signals_end_the_wait_at_once(self):
        self.holder()
        before = self.sandbox.requests()
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                (self.home / "waiting.err").unlink(missing_ok=True)
                code = 'pcall(require "turnstile".widgets.all) ' + HOLD
                run, stream, _ = self.waiting("wait=1h", code=code)
                run.signal(number)
                done = run.finish()
                self.assert_status(done, 128 + number)
                self.assertEqual(done.out, "")
                self.assertIn("interrupted by", stream.read())
        self.assertEqual(self.sandbox.requests(), before)

    def test_the_deadline_ends_the_wait(self):
        holder = self.holder()
        before = self.sandbox.requests()
        done = self.look("--if-locked", "wait=1h", "--deadline", "0.3",
                         code="pcall(widgets.all) print 'not here'")
        self.assert_kept_out(done, holder)
        self.assertEqual(done.out, "")
        self.assertIn("the deadline of 0.3 s has passed", done.err)
        self.assertEqual(self.sandbox.requests(), before)

    def test_a_time_limit_of_the_script_ends_the_wait(self):
        self.holder()
        before = self.sandbox.requests()
        done = self.look("--if-locked", "wait=1h",
                         code="print(task.with_timeout(0.3, widgets.all)) print 'here'")
        self.assert_status(done, 0)
        self.assertIn("here", done.out)
        self.assertEqual(self.sandbox.requests(), before)

    def test_what_is_in_flight_goes_on_meanwhile(self):
        """What a task has begun is sent while the main task waits for another account."""
        holder = self.holder("--account", OTHER)
        run, _, _ = self.waiting("wait=1h", code=f"""
          local turnstile, task = require "turnstile", require "task"
          task.spawn(turnstile.widgets.all)
          task.sleep(0)
          turnstile.client {{ account_id = "{OTHER}" }}""")
        patience = time.monotonic() + PATIENCE
        while not self.sandbox.requests("list"):
            self.assertLess(time.monotonic(), patience)
        self.assertIsNone(run.process.poll())
        holder.finish()
        self.assert_status(run.finish(), 0)


class Ended(Locked):
    """However a run ends, its account is free."""

    def test_a_killed_run_never_leaves_it_locked(self):
        for _ in range(KILLS):
            run = self.holder()
            run.signal(signal.SIGKILL)
            run.finish()
            run.__exit__()
        self.assert_status(self.look(), 0)

    def check_command_left_behind(self, call):
        """The command that a killed run has started goes on, and does not keep the account."""
        for name in ("ready", "end"):
            os.mkfifo(self.home / name)
        command = "cat >&- 2>&-; echo ready >ready; read x <end; rm end"
        run = self.start(self.script(f"""
          local widgets = require "turnstile".widgets
          local widget = assert(widgets.create {{
            name = "acme", domains = {{ "acme.example" }}, mode = "managed" }})
          local command = "{command}"
          {call}
          io.read "a" """), stdin=subprocess.PIPE, sandbox=self.sandbox)
        with open(self.home / "ready", encoding="utf-8") as ready:
            self.assertEqual(ready.read(), "ready\n")
        run.signal(signal.SIGKILL)
        run.process.wait()
        self.assert_status(self.look(), 0)
        with open(self.home / "end", "w", encoding="utf-8") as end:
            end.write("x\n")

    def test_a_delivery_left_behind(self):
        self.check_command_left_behind('widget.secret:pipe { "sh", "-c", command }')

    def test_a_pipe_left_behind(self):
        self.check_command_left_behind('local pipe = io.popen(command, "w")')

    def test_a_failure_frees_it(self):
        self.assert_status(self.look(code="widgets.all() error 'oops'"), 1)
        self.assert_status(self.look(), 0)
        (file,) = self.lock_files()
        self.assertEqual(file.read_bytes(), b"")


if __name__ == "__main__":
    unittest.main()
