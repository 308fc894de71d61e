# SPDX-License-Identifier: MIT
"""The rate budget with the real binary: against every kind of limiter, alone and with several
processes, beside somebody else, and when state cannot be kept. Shares are printed, not judged:
machines differ; that nothing is ever refused is judged."""

import http.client
import os
import random
import signal
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from host import ACCOUNT, TOKEN, Case, Process, Sandbox

KINDS = ("fixed-window", "sliding-log", "sliding-counter", "token-bucket")
REQUESTS, WINDOW = 1200, 3
RUN = 2700  # requests in all: three windows, the third not whole
BOUND = 2 * WINDOW  # seconds that they take at best

GETS = """
local turnstile, task = require "turnstile", require "task"
local items = {}
for i = 1, tonumber(arg[1]) do items[i] = i end
task.each(items, function()
  assert(turnstile.widgets.get(arg[2]))
end, { concurrency = 16 })
"""


class Other(threading.Thread):
    """Somebody else with the same token who heeds nothing: so many requests a window."""

    def __init__(self, sandbox, per_window, window=WINDOW):
        super().__init__()
        self._host = urlsplit(sandbox.origin).netloc
        self._mean = window / per_window
        self._end = threading.Event()
        self.statuses = []

    def run(self):
        connection = http.client.HTTPConnection(self._host)
        path = f"/client/v4/accounts/{ACCOUNT}/challenges/widgets?per_page=5"
        while not self._end.wait(random.uniform(0, 2 * self._mean)):
            connection.request("GET", path, headers={"Authorization": f"Bearer {TOKEN}"})
            answer = connection.getresponse()
            answer.read()
            self.statuses.append(answer.status)
        connection.close()

    def stop(self):
        self._end.set()
        self.join()


class Budget(Case):
    def check_kind(self, kind, script, processes, *options, other_share=0):
        """Runs the job in so many processes, and returns the seconds that it took."""
        state = self.home / f"state-{kind}-{processes}"
        with Sandbox("--rate", f"{REQUESTS}/{WINDOW}", "--limiter", kind) as sandbox:
            sitekey = sandbox.create()["sitekey"]
            other = other_share and Other(sandbox, REQUESTS * other_share)
            if other:
                other.start()
            began = time.monotonic()
            environment = self.environment(sandbox, TSHOST_STATE=str(state))
            arguments = ("--read-only", *options, script, RUN // processes, sitekey)
            runs = [Process(arguments, environment, self.home)
                    for _ in range(processes)]
            ended = [run.finish() for run in runs]
            took = time.monotonic() - began
            if other:
                other.stop()
                self.assertGreater(len(other.statuses), 10)
            for run, done in zip(runs, ended):
                run.__exit__()
                self.check_secrets(done)
                self.assert_status(done, 0)
            refused = [entry for entry in sandbox.requests() if entry[1] == 429]
            self.assertEqual(refused, [], kind)
            self.assertEqual(len(sandbox.requests("get")), RUN)
            return took

    def check_kinds(self, processes, *options, **more):
        script = self.script(GETS)
        with ThreadPoolExecutor(len(KINDS)) as pool:
            jobs = {kind: pool.submit(self.check_kind, kind, script, processes, *options, **more)
                    for kind in KINDS}
            for kind, job in jobs.items():
                print(f"{kind}, {processes} processes: {RUN} requests in {job.result():.2f} s, "
                      f"{BOUND} s at best")

    def test_one_process_is_never_refused(self):
        self.check_kinds(1)

    def test_four_processes_share_one_budget(self):
        self.check_kinds(4)

    def test_beside_somebody_else(self):
        self.check_kinds(2, "--reserve", "40%", other_share=0.3)


class Unasked(Case):
    """Somebody else takes 30 % and heeds nothing; nothing is said about it on the command line."""

    REQUESTS, WINDOW, RUN = 1200, 10, 1800

    def check_kind(self, kind, script):
        state = str(self.home / f"state-{kind}")
        with Sandbox("--rate", f"{self.REQUESTS}/{self.WINDOW}", "--limiter", kind) as sandbox:
            sitekey = sandbox.create()["sitekey"]
            environment = self.environment(sandbox, TSHOST_STATE=state)
            other = Other(sandbox, self.REQUESTS * 0.3, self.WINDOW)
            other.start()
            with Process((script, self.RUN, sitekey), environment, self.home) as run:
                done = run.finish()
            with Process(("-e", 'print(require "turnstile".budget().others)'), environment,
                         self.home) as look:
                seen = look.finish()
            other.stop()
            self.assert_status(done, 0)
            refused = [entry for entry in sandbox.requests() if entry[1] == 429]
            self.assertEqual(refused, [], kind)
            self.assertEqual(set(other.statuses), {200}, kind)
            return done, int(seen.out)

    def test_is_learned_and_left_alone(self):
        script = self.script(GETS)
        with ThreadPoolExecutor(len(KINDS)) as pool:
            jobs = {kind: pool.submit(self.check_kind, kind, script) for kind in KINDS}
            for kind, job in jobs.items():
                done, seen = job.result()
                print(f"{kind}: others seen as {seen} of {self.REQUESTS * 0.3:.0f} a window")
                self.assertGreater(seen, 12, kind)
                told = [line for line in done.lines if "somebody else uses about" in line]
                self.assertEqual(len(told), 1, done)


class Shared(Case):
    """What processes know of each other."""

    LEFT = "print(turnstile.budget().left, turnstile.budget().paused)"

    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox("--rate", "1200/300"))
        self.sitekey = self.sandbox.create()["sitekey"]

    def left(self, *options, **more):
        done = self.lua(self.LEFT, *options, sandbox=self.sandbox, **more)
        self.assert_status(done, 0)
        return [int(figure) for figure in done.out.split()]

    def test_the_next_run_knows_what_was_spent(self):
        done = self.lua(f"for _ = 1, 20 do widgets.get('{self.sitekey}') end " + self.LEFT,
                        sandbox=self.sandbox)
        first = [int(figure) for figure in done.out.split()]
        self.assertEqual(first, [1200 - 1 - 20 - 12, 0])
        self.assertEqual(self.left(), first)

    def test_a_script_can_see_why_it_would_wait(self):
        done = self.lua(f"repeat widgets.get('{self.sitekey}'); local budget = turnstile.budget() "
                        "until budget.left == 0; "
                        "local budget = turnstile.budget(); print(budget.reason, budget.wait)",
                        "--rate", "20/300", sandbox=self.sandbox)
        self.assert_status(done, 0)
        reason, seconds = done.out.split()
        self.assertEqual(reason, "spent")
        self.assertIn(int(seconds), range(290, 303))  # the window counts from answers, rounded up

    def test_requests_of_a_killed_process_are_spent(self):
        self.sandbox.fault(op="get", kind="delay", ms=60000, times=100)
        run = self.start("--read-only", self.script(f"""
          local turnstile, task = require "turnstile", require "task"
          for _ = 1, 8 do task.spawn(turnstile.widgets.get, "{self.sitekey}") end
          task.sleep(0)
          print("under way")
          task.sleep(1000)"""), sandbox=self.sandbox)
        run.wait_for_line()
        self.assertEqual(self.left("--read-only")[0], 1200 - 12 - 8)
        run.signal(signal.SIGKILL)
        run.finish()
        self.assertEqual(self.left()[0], 1200 - 12 - 8)

    def test_a_pause_holds_for_the_next_run(self):
        self.sandbox.fault(op="get", kind="429", retry_after=90)
        done = self.lua(f"print(widgets.get('{self.sitekey}'))", "--max-wait", "1",
                        sandbox=self.sandbox)
        self.assertIn("429", done.out)
        left, paused = self.left()
        self.assertEqual(left, 0)
        self.assertGreater(paused, 30)
        self.assertLessEqual(paused, 90)

    def test_another_token_has_a_budget_of_its_own(self):
        self.lua(f"for _ = 1, 20 do widgets.get('{self.sitekey}') end", sandbox=self.sandbox)
        more = {"environment": {"CLOUDFLARE_API_TOKEN": "another-token-not-a-secret"}}
        self.assertEqual(self.left(**more), [1188, 0])

    def test_the_rate_that_is_given_holds(self):
        self.assertEqual(self.left("--rate", "100/60"), [100, 0])
        self.assertEqual(self.left("--rate", "100/60", "--reserve", "10%"), [90, 0])

    def test_a_sandbox_of_the_run_shares_nothing(self):
        self.lua("widgets.all() " + self.LEFT, "--sandbox")
        self.assertEqual(sorted(os.listdir(self.home)), ["script.lua"])

    def test_doctor_shows_it(self):
        done = self.run_tshost("doctor", sandbox=self.sandbox)
        self.assert_status(done, 0)
        self.assertRegex(done.out, r"1,1\d\d of 1,200 requests in 5 min left")


class Broken(Case):
    """Where state cannot be kept, a run goes on alone and says so; without a directory for it, it
    cannot write."""

    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox())

    def check_warning(self, why, **environment):
        done = self.lua("for _ = 1, 3 do widgets.all() end print 'done'",
                        sandbox=self.sandbox, environment=environment)
        self.assert_status(done, 0)
        self.assertEqual(done.out, "done\n")
        told = [line for line in done.lines if "is not shared" in line]
        self.assertEqual(len(told), 1, done)
        self.assertIn(why, told[0])
        self.assertIn("requests of other tshost processes are not counted", told[0])

    def check_directory(self, why, **environment):
        self.check_warning(why, **environment)
        create = "widgets.create { name = 'a', domains = { 'a.example' }, mode = 'managed' }"
        for code in (f"print({create})", f"{create}; {create}", f"pcall(widgets.all); {create}"):
            done = self.lua(code, sandbox=self.sandbox, environment=environment)
            self.assert_status(done, 9)
            told = [line for line in done.lines if why in line and "is not shared" not in line]
            self.assertEqual(len(told), 1, done)
        self.assertEqual({op for op, _ in self.sandbox.requests()}, {"list"})
        done = self.lua("print(#widgets.all())", "--sandbox", environment=environment)
        self.assertEqual((done.status, done.out, done.err), (0, "0\n", ""))

    def test_modes(self):
        umask = os.umask(0o777)
        try:
            done = self.run_tshost("-e", 'require "turnstile".widgets.all()', sandbox=self.sandbox,
                                   environment={"TSHOST_STATE": str(self.home / "a" / "b")})
        finally:
            os.umask(umask)
        self.assert_status(done, 0)
        self.assertEqual(done.err.count("warning"), 0, done)
        for name, mode in (("a", 0o40700), ("a/b", 0o40700), ("a/b/rate.db", 0o100600)):
            self.assertEqual((self.home / name).stat().st_mode, mode, name)

    def test_no_home(self):
        self.check_directory("no place for state", HOME=None, XDG_STATE_HOME=None)

    def test_a_file_in_the_way(self):
        (self.home / "file").write_text("x", encoding="utf-8")
        self.check_directory("cannot make the state directory",
                             TSHOST_STATE=str(self.home / "file" / "state"))
        self.check_directory("is not a directory", TSHOST_STATE=str(self.home / "file"))

    def test_a_directory_that_others_may_write_to(self):
        (self.home / "open").mkdir()
        (self.home / "open").chmod(0o777)
        self.check_directory("chmod 700", TSHOST_STATE=str(self.home / "open"))

    def test_a_file_system_that_takes_no_files(self):
        self.check_directory("cannot make the state directory", TSHOST_STATE="/proc/1/state")

    def test_a_damaged_file(self):
        state = self.home / "state"
        state.mkdir(mode=0o700)
        (state / "rate.db").write_bytes(b"not a database, not at all" * 1000)
        self.check_warning("is damaged; remove it", TSHOST_STATE=str(state))

    def test_a_link_in_the_place_of_the_file(self):
        state = self.home / "state"
        state.mkdir(mode=0o700)
        target = self.home / "target"
        target.write_text("precious", encoding="utf-8")
        (state / "rate.db").symlink_to(target)
        self.check_warning("cannot open", TSHOST_STATE=str(state))
        self.assertEqual(target.read_text(encoding="utf-8"), "precious")

    def test_a_home_behind_a_link(self):
        (self.home / "real").mkdir()
        (self.home / "link").symlink_to("real")
        done = self.lua("widgets.all()", sandbox=self.sandbox,
                        environment={"TSHOST_STATE": str(self.home / "link" / "state")})
        self.assertNotIn("warning", done.err)
        self.assertTrue((self.home / "real" / "state" / "rate.db").exists())


if __name__ == "__main__":
    unittest.main()
