# SPDX-License-Identifier: MIT
"""SIGINT and SIGTERM at random moments of a bulk run, on a sound network and on one that cuts: the
exit status says so, and the summary tells what the server has done. INTERRUPT_RUNS says how often,
INTERRUPT_SEED repeats the moments."""

import collections
import os
import random
import re
import signal
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "faults"))

from chaos_proxy import Dice, Proxy
from host import ACCOUNT, IS_SANITIZED, Case, Sandbox

RUNS = int(os.environ.get("INTERRUPT_RUNS", "16" if IS_SANITIZED else "40"))
SEED = os.environ.get("INTERRUPT_SEED", "1")
FLEET = 24
REQUESTS = FLEET * 7  # of a run that is let be, about
CUTS = 0.1            # of the exchanges, in every second run
TIME = "2026-01-01T00:00:00Z"

SCRIPT = """
io.stdout:setvbuf "line"
print "start"
local task = require "task"
local widgets = require "turnstile".widgets
local fleet = widgets.all { filter = "name:lane" }
task.each(fleet, function(w)
  local made = widgets.create { name = "made", domains = { "made.example" }, mode = "managed" }
  widgets.update(w, { mode = w.mode == "managed" and "invisible" or "managed" })
  widgets.rotate_secret(w.sitekey, { invalidate_immediately = true })
  if made then
    widgets.update(made.sitekey, { domains = { add = { "more.example" } } })
    widgets.delete(made.sitekey)
  end
end, { concurrency = 8 })
print "end"
"""

# The same in lanes that are given up at random moments, cancelled or out of time; what is asked then
# must still be answered.
IMPATIENT = """
io.stdout:setvbuf "line"
math.randomseed(tonumber(arg[1]), 1)
local task = require "task"
local widgets = require "turnstile".widgets
local function lane(w)
  local made = widgets.create { name = "made", domains = { "made.example" }, mode = "managed" }
  widgets.update(w, { mode = w.mode == "managed" and "invisible" or "managed" })
  widgets.rotate_secret(w.sitekey, { invalidate_immediately = true })
  if made then
    widgets.update(made.sitekey, { domains = { add = { "more.example" } } })
    widgets.delete(made.sitekey)
  end
end
for _ = 1, 4 do
  local fleet = widgets.all { filter = "name:lane" }
  local handles = {}
  for i, w in ipairs(fleet) do
    local patience = math.random() * 0.05
    if i % 2 == 0 then
      handles[i] = task.spawn(task.with_timeout, patience, lane, w)
    else
      handles[i] = task.spawn(lane, w)
      task.spawn(function()
        task.sleep(patience)
        handles[i]:cancel()
      end)
    end
  end
  for _, handle in ipairs(handles) do
    pcall(handle.await, handle)
  end
  task.each(fleet, function(w) assert(widgets.get(w.sitekey)) end)
end
print "end"
"""

WORDS = {"create": "created", "update": "updated", "delete": "deleted", "rotate": "rotated"}


class Moment:
    """Sends the signal at one exchange of the proxy: when its request has come, when its answer is
    there, or a little after that."""

    def __init__(self, dice, decide):
        self.at = dice.randrange(1, REQUESTS)
        self.stage = dice.choice(("request", "answer", "later"))
        self.after = dice.random() * 0.003
        self.number = signal.SIGTERM if dice.random() < 0.2 else signal.SIGINT
        self.decide = decide
        self.count = 0
        self.process = None
        self.is_begun = threading.Event()

    def __str__(self):
        return f"{self.number.name} at exchange {self.at}, stage {self.stage}"

    def begin(self, process):
        self.process = process
        self.is_begun.set()

    def __call__(self, request):
        self.is_begun.wait()
        self.count += 1
        if self.count == self.at and self.stage == "request":
            self.process.signal(self.number)
        return self.decide(request)

    def learn(self, request, answer):
        if self.count >= self.at and self.stage != "request":
            if self.stage == "answer":
                self.process.signal(self.number)
            else:
                timer = threading.Timer(self.after, self.process.signal, (self.number,))
                timer.daemon = True
                timer.start()
            self.stage = "request"  # done
        self.decide.learn(request, answer)


class Sound:
    """A sound network."""

    def __call__(self, request):
        return None

    def learn(self, request, answer):
        pass


class Interrupt(Case):
    def setUp(self):
        super().setUp()
        self.sandbox = self.enterContext(Sandbox())
        self.sandbox.ask("POST", f"/sandbox/accounts/{ACCOUNT}/widgets", {"result": [{
            "sitekey": f"0x4AAAAAAAchaos{lane:09}", "name": f"lane {lane}", "mode": "managed",
            "domains": [f"lane{lane}.example"], "created_on": TIME, "modified_on": TIME,
        } for lane in range(FLEET)]})
        self.statuses = collections.Counter()

    def run_once(self, seed):
        dice = random.Random(seed)
        share = CUTS if dice.random() < 0.5 else 0
        moment = Moment(dice, Dice(seed, share))
        self.sandbox.ask("DELETE", "/sandbox/requests")
        with Proxy(self.sandbox.url, moment) as proxy:
            process = self.start("--allow", "rotate,delete", self.script(SCRIPT),
                                 sandbox=self.sandbox,
                                 environment={"CLOUDFLARE_BASE_URL": proxy.url})
            moment.begin(process)
            done = process.finish()
            process.__exit__()
        self.assertEqual(proxy.failures, [])
        self.check_secrets(done)
        with self.subTest(seed=seed, moment=str(moment), cuts=len(proxy.cuts)):
            self.check(done, moment, share > 0)

    def check_figures(self, done):
        """Everything applied is told, and nothing else, but for as many as are unknown; returns how
        many those are."""
        applied = collections.Counter(
            entry["op"] for entry in self.sandbox.ask("GET", "/sandbox/requests")
            if entry["status"] == 200)
        figures = read_figures(done)
        unknown = figures["in"]  # "in doubt"
        for op, word in WORDS.items():
            missing = applied[op] - figures[word]
            self.assertTrue(0 <= missing <= unknown, f"{word}: {applied[op]} were: {done}")
        self.assertLessEqual(
            sum(applied[op] - figures[word] for op, word in WORDS.items()), unknown, done)
        return unknown

    def check(self, done, moment, is_cut):
        unknown = self.check_figures(done)
        if not is_cut:
            self.assertEqual(unknown, 0, done)
        is_finished = "end\n" in done.out or moment.count < moment.at
        if unknown:
            self.assert_status(done, 10)
        elif "interrupted by" in done.err:
            self.assert_status(done, 130 if moment.number == signal.SIGINT else 143)
            self.assertIn(f"interrupted by {moment.number.name}", done.err)
        else:
            self.assertTrue(is_finished, done)
            self.assertIn(done.status, (0, 4, 9) if is_cut else (0,), done)
        self.statuses[done.status] += 1

    def test_at_random_moments(self):
        for number in range(RUNS):
            self.run_once(f"{SEED}-{number}")
        print(f"interrupt: seed {SEED}, {RUNS} runs, statuses {dict(self.statuses)}",
              file=sys.stderr)
        self.assertGreater(self.statuses[130] + self.statuses[143], RUNS / 8)

    def test_tasks_that_are_given_up_at_random_moments(self):
        sent = collections.Counter()
        for number in range(RUNS // 8):
            with self.subTest(number), Proxy(self.sandbox.url, Sound(), latency=0.005) as proxy:
                self.sandbox.ask("DELETE", "/sandbox/requests")
                done = self.run_tshost("--allow", "rotate,delete", self.script(IMPATIENT), number,
                                       sandbox=self.sandbox,
                                       environment={"CLOUDFLARE_BASE_URL": proxy.url})
                self.assertEqual(proxy.failures, [])
                self.assertEqual(done.out, "end\n", done)
                self.assertEqual(self.check_figures(done), 0, done)
                self.assertIn(done.status, (0, 4), done)
                sent.update(entry["op"] for entry in self.sandbox.ask("GET", "/sandbox/requests"))
        print(f"given up: {dict(sent)}", file=sys.stderr)
        self.assertGreater(sent["create"], sent["delete"], "nothing was given up")


def read_figures(done):
    """The figures of the summary by the word behind each; none when nothing was done."""
    figures = collections.Counter()
    for line in done.lines:
        if line.startswith("tshost: ") and " requests" in line:
            for count, word in re.findall(r"(\d[\d,]*) (\w+)", line):
                figures[word] += int(count.replace(",", ""))
    return figures


if __name__ == "__main__":
    unittest.main()
