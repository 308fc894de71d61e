# SPDX-License-Identifier: MIT
"""Thousands of requests over a network that cuts connections at random bytes, in both directions.

Afterwards the server is compared with what the script was told: what is reported as done was done
once, what is reported as not applied was not done, the summary counts both, and the exit status
says what is left unknown. CHAOS_REQUESTS says how many requests (about), CHAOS_SEED repeats a run.
"""

import collections
import os
import re
import sys
import unittest
import urllib.error
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "cli"))

from chaos_proxy import Dice, Proxy
from host import ACCOUNT, IS_SANITIZED, Case, Sandbox

REQUESTS = int(os.environ.get("CHAOS_REQUESTS", "600" if IS_SANITIZED else "1500"))
SEED = os.environ.get("CHAOS_SEED", "1")
REQUESTS_OF_LANE = 13
SHARE = 0.2  # of the exchanges are cut
CONCURRENCY = 32
WIDGETS = f"/client/v4/accounts/{ACCOUNT}/challenges/widgets"
TIME = "2026-01-01T00:00:00Z"

WORDS = {"create": "created", "update": "updated", "delete": "deleted", "rotate": "rotated"}


Told = collections.namedtuple("Told", "op lane step outcome details")  # a line of the script


def lane_sitekey(lane):
    return f"0x4AAAAAAAchaos{lane:09}"


class Chaos(Case):
    def fill(self, sandbox, lanes):
        fleet = [{
            "sitekey": lane_sitekey(lane), "name": f"lane {lane}", "mode": "managed",
            "domains": [f"old.lane{lane}.example", f"kept.lane{lane}.example"],
            "created_on": TIME, "modified_on": TIME,
        } for lane in range(1, lanes + 1)]
        for at in range(0, lanes, 10000):
            sandbox.ask("POST", f"/sandbox/accounts/{ACCOUNT}/widgets",
                        {"result": fleet[at:at + 10000]})

    def everything(self, sandbox):
        found, page = [], 1
        while True:
            part = sandbox.ask("GET", f"{WIDGETS}?per_page=1000&order=name&page={page}")
            if not part:
                return found
            found += part
            page += 1

    def secrets(self, sandbox, told):
        """The secrets that the server has now, of the widgets that were rotated or made."""
        sitekeys = {line.details[0] for line in told
                    if line.op in ("create", "rotate") and line.outcome == "done"}
        found = {}
        for sitekey in sitekeys:
            try:
                found[sitekey] = sandbox.ask("GET", f"{WIDGETS}/{sitekey}")["secret"]
            except urllib.error.HTTPError as problem:
                self.assertEqual(problem.code, 404)  # deleted
                problem.close()
        return found

    def run_chaos(self, count, *options):
        lanes = count // REQUESTS_OF_LANE
        sandbox = self.enterContext(Sandbox())
        self.fill(sandbox, lanes)
        with Proxy(sandbox.url, Dice(SEED, SHARE)) as proxy:
            process = self.start(
                "--allow", "rotate,delete,reveal", "--concurrency", CONCURRENCY,
                Path(__file__).with_name("chaos.lua"), CONCURRENCY, *options,
                sandbox=sandbox, environment={"CLOUDFLARE_BASE_URL": proxy.url})
            done = process.finish(60 + count // 10)
        self.check_secrets(done, is_revealing=True)
        self.assertEqual(proxy.failures, [])
        self.assertTrue(done.out.endswith("end\n"), done)
        return sandbox, proxy, done

    def check_chaos(self, sandbox, proxy, done):
        """Returns what was told, by the line, when it is true."""
        told = read_told(done.out)
        outcomes = collections.Counter(f"{line.op} {line.outcome}" for line in told)
        print(f"chaos: seed {SEED}, {proxy.exchanges} requests, {len(proxy.cuts)} cut; "
              f"status {done.status}; {dict(outcomes)}", file=sys.stderr)
        widgets = self.everything(sandbox)
        requests = sandbox.ask("GET", "/sandbox/requests")
        checks = (
            lambda: self.check_creates(told, widgets, requests),
            lambda: self.check_updates(told, widgets),
            lambda: self.check_rotates(told, requests, self.secrets(sandbox, told)),
            lambda: self.check_deletes(told, widgets),
            lambda: self.check_summary(told, done),
        )
        for check in checks:
            with self.subTest():
                check()
        return told

    def test_what_is_told_is_what_was_done(self):
        sandbox, proxy, done = self.run_chaos(REQUESTS)
        told = self.check_chaos(sandbox, proxy, done)
        # A call is given up when it was cut time and again, which at this share is one in thousands.
        rare = [line for line in told if line.outcome != "done"]
        self.assertLessEqual(len(rare), 1 + len(proxy.cuts) // 100, rare)

    def test_rotations_that_nothing_can_be_compared_with(self):
        """They may stay unknown, and then are told so; what is said of the others is true."""
        sandbox, proxy, done = self.run_chaos(REQUESTS // 3, "blind")
        told = self.check_chaos(sandbox, proxy, done)
        rare = [line for line in told if line.outcome != "done" and line.op != "rotate"]
        self.assertLessEqual(len(rare), 1 + len(proxy.cuts) // 100, rare)

    def between(self, count, lines, what):
        """As often as is told at least, and at most once more for each unknown outcome."""
        least = sum(line.outcome == "done" for line in lines)
        most = least + sum(line.outcome == "unknown" for line in lines)
        self.assertTrue(least <= count <= most,
                        f"{what}: {count} times, told {least} to {most}: {lines}")

    def check_creates(self, told, widgets, requests):
        by_name = collections.defaultdict(list)
        for widget in widgets:
            by_name[widget["name"]].append(widget["sitekey"])
        creates = [line for line in told if line.op == "create"]
        deleted = {line.lane for line in told if line.op == "delete" and line.outcome != "not_applied"}
        applied = [entry for entry in requests if (entry["op"], entry["status"]) == ("create", 200)]
        self.between(len(applied), creates, "creates")
        for line in creates:
            there = by_name[f"made {line.lane}"]
            if line.lane not in deleted:
                self.between(len(there), [line], f"made {line.lane}")
            self.assertLessEqual(len(there), 1)
            if line.outcome == "done" and there:
                self.assertEqual(there, [line.details[0]])

    def check_updates(self, told, widgets):
        by_name = {widget["name"]: widget for widget in widgets}
        for line in told:
            if line.op != "update":
                continue
            of = "made" if line.step == "made" else "lane"
            widget = by_name.get(f"{of} {line.lane}")
            if not widget:
                self.assertEqual((of, int(line.lane) % 2), ("made", 0), line)  # deleted since
                continue
            domains = {domain.split(".")[0] for domain in widget["domains"]}
            is_done = {
                "first": "first" in domains,
                "second": "second" in domains,
                "made": "more" in domains,
                "mode": widget["mode"] == "invisible",
            }[line.step]
            self.between(int(is_done), [line], "update")
            self.assertIn("made" if of == "made" else "kept", domains)
            if line.step == "second":
                self.assertEqual("old" in domains, not is_done, line)

    def check_rotates(self, told, requests, secrets):
        applied = collections.Counter(
            entry["path"].split("/")[-2] for entry in requests
            if (entry["op"], entry["status"]) == ("rotate", 200))
        lanes = collections.defaultdict(list)
        for line in told:
            if line.op == "rotate":
                lanes[lane_sitekey(int(line.lane))].append(line)
        for sitekey, lines in lanes.items():
            self.between(applied[sitekey], lines, "rotate")
        last = {}  # what the script holds as each widget's secret
        for line in told:
            if line.op == "rotate" and line.outcome == "unknown":
                last.pop(lane_sitekey(int(line.lane)), None)
            elif line.op in ("create", "rotate") and line.outcome == "done":
                last[line.details[0]] = line.details[1]
        for sitekey, secret in last.items():
            self.assertEqual(secrets.get(sitekey, secret), secret, f"{sitekey} has another secret")

    def check_deletes(self, told, widgets):
        there = {widget["name"] for widget in widgets}
        for line in told:
            if line.op == "delete":
                is_gone = f"made {line.lane}" not in there
                self.between(int(is_gone), [line], "delete")

    def check_summary(self, told, done):
        """The figures of the summary, and the exit status."""
        outcomes = collections.Counter((line.op, line.outcome) for line in told)
        summary = [line for line in done.lines if line.startswith("tshost: ") and " requests" in line]
        self.assertEqual(len(summary), 1, done)
        figures = collections.defaultdict(int)
        for count, word in re.findall(r"(\d[\d,]*) (\w+)", summary[0]):
            figures[word] += int(count.replace(",", ""))
        for op, word in WORDS.items():
            figure = figures[word] + (figures["unchanged"] if op == "update" else 0)
            self.assertEqual(figure, outcomes[op, "done"], summary)
        unknown = sum(outcomes[op, "unknown"] for op in WORDS)
        self.assertEqual(figures["in"], unknown, summary)  # "in doubt"
        failed = sum(outcomes[op, "not_applied"] for op in WORDS)
        reads = outcomes["get", "read_failed"] + outcomes["list", "read_failed"]
        self.assertEqual(figures["failed"] + figures["not"], failed, summary)  # "not sent"
        self.assertEqual(figures["reads"] + figures["read"], reads, summary)
        if unknown:
            self.assert_status(done, 10)
        elif failed or reads:
            self.assertIn(done.status, (4, 9))
        else:
            self.assert_status(done, 0)


def read_told(text):
    """The lines of the script, and no others."""
    return [Told(*line.split("\t")[:4], line.split("\t")[4:])
            for line in text.splitlines() if line.count("\t") >= 3]


if __name__ == "__main__":
    unittest.main()
