# SPDX-License-Identifier: MIT
"""Somebody else edits the same widgets at random moments of a bulk run, and nothing of it is lost
but what --fresh allows. EDITOR_EDITS says how many edits, EDITOR_SEED repeats their moments.

The editor sits in a proxy between the run and the sandbox, so that the moments are exact: it reads
and writes a widget while nothing of the run is on its way to it.
"""

import collections
import json
import os
import random
import re
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "faults"))

from chaos_proxy import Proxy
from host import ACCOUNT, IS_SANITIZED, Case, Sandbox

EDITS = int(os.environ.get("EDITOR_EDITS", "100" if IS_SANITIZED else "300"))
SEED = os.environ.get("EDITOR_SEED", "1")
FLEET_OF_EDITS = 1.2  # widgets for each edit
WIDGETS = f"/client/v4/accounts/{ACCOUNT}/challenges/widgets"
TIME = "2026-01-01T00:00:00Z"
LINE = re.compile(rb"(GET|PUT) \S*/widgets/(0x4[\w-]{21}) ")
SLACK = 1  # seconds between a decision of the run and its request, on a slow machine
EDIT_MOST = 8  # of one widget: it may have 15 domains


class Editor:
    """Looks at every exchange, notes when each widget was read and written, and edits."""

    def __init__(self, sandbox, sitekeys, seed, most, share):
        self.sandbox = sandbox
        self.sitekeys = sitekeys
        self.dice = random.Random(seed)
        self.most = most
        self.share = share
        self.edits = []  # (seconds, sitekey, domain)
        self.count = collections.Counter()
        self.in_flight = collections.Counter()
        self.reads = collections.defaultdict(list)   # (asked, answered)
        self.writes = collections.defaultdict(list)  # (arrived, domains)
        self.open = {}

    def __call__(self, request):
        """Before the exchange goes on to the sandbox."""
        found = LINE.match(request)
        sitekey = found.group(2).decode() if found else None
        if self.dice.random() < self.share and len(self.edits) < self.most:
            # Seldom the very widget whose request has just come, and the run relies on what it read.
            self.edit(sitekey if sitekey and self.dice.random() < 0.1 else self.choose())
        if sitekey:
            self.in_flight[sitekey] += 1
            if found.group(1) == b"GET":
                self.open[sitekey] = time.monotonic()
            else:
                body = json.loads(request.partition(b"\r\n\r\n")[2])
                self.writes[sitekey].append((time.monotonic(), set(body["domains"])))
        return None

    def learn(self, request, _):
        """When the answer is there."""
        found = LINE.match(request)
        if found:
            sitekey = found.group(2).decode()
            self.in_flight[sitekey] -= 1
            if found.group(1) == b"GET":
                self.reads[sitekey].append((self.open[sitekey], time.monotonic()))

    def choose(self):
        """Mostly one that the run has still to write."""
        for _ in range(100):
            sitekey = self.dice.choice(self.sitekeys)
            is_news = not self.writes[sitekey] or self.dice.random() < 0.1
            if is_news and self.in_flight[sitekey] == 0 and self.count[sitekey] < EDIT_MOST:
                return sitekey
        return None

    def edit(self, sitekey):
        if not sitekey or self.in_flight[sitekey] or self.count[sitekey] == EDIT_MOST:
            return
        path = f"{WIDGETS}/{sitekey}"
        widget = self.sandbox.ask("GET", path)
        domain = f"edit{len(self.edits)}.example"
        self.sandbox.ask("PUT", path, {"name": widget["name"], "mode": widget["mode"],
                                       "domains": widget["domains"] + [domain]})
        self.count[sitekey] += 1
        self.edits.append((time.monotonic(), sitekey, domain))


class Outside(Case):
    def run_bulk(self, fresh, *options, edits=EDITS, share=0.5, latency=0):
        count = int(edits * FLEET_OF_EDITS)
        sitekeys = [f"0x4AAAAAAAeditor{number:08}" for number in range(count)]
        sandbox = self.enterContext(Sandbox())
        sandbox.ask("POST", f"/sandbox/accounts/{ACCOUNT}/widgets", {"result": [{
            "sitekey": sitekey, "name": f"lane {sitekey}", "mode": "managed",
            "domains": [f"{sitekey}.example"], "created_on": TIME, "modified_on": TIME,
        } for sitekey in sitekeys]})
        editor = Editor(sandbox, sitekeys, f"{SEED} {fresh}", edits, share)
        with Proxy(sandbox.url, editor, latency) as proxy:
            done = self.start(
                "--fresh", fresh, *options, "bulk_domains.lua", "--add", "bulk.example", "--name",
                "lane *", "--format", "json", sandbox=sandbox,
                environment={"CLOUDFLARE_BASE_URL": proxy.url}).finish(60 + edits)
        self.assertEqual(proxy.failures, [])
        self.check_secrets(done)
        self.assert_status(done, 0)
        found = {sitekey: set(sandbox.ask("GET", f"{WIDGETS}/{sitekey}")["domains"])
                 for sitekey in sitekeys}
        for sitekey, domains in found.items():
            self.assertIn("bulk.example", domains)
            self.assertEqual(len(editor.writes[sitekey]), 1)
        lost = [edit for edit in editor.edits if edit[2] not in found[edit[1]]]
        print(f"editor: seed {SEED}, --fresh {fresh}, {len(editor.edits)} edits, {len(lost)} lost, "
              f"{proxy.exchanges} requests for {count} widgets", file=sys.stderr)
        self.assertGreater(len(editor.edits), edits / 2)
        return editor, lost

    def test_reading_before_every_write_leaves_one_round_trip(self):
        editor, lost = self.run_bulk(0)
        for when, sitekey, domain in lost:
            with self.subTest(sitekey=sitekey, domain=domain):
                written = next(at for at, domains in editor.writes[sitekey]
                               if at > when and domain not in domains)
                reads = [read for read in editor.reads[sitekey] if read[1] < written]
                self.assertTrue(reads, "it was written without having been read")
                self.assertGreater(when, reads[-1][0], "the read before the write came later")

    def check_window(self, fresh, editor, lost):
        """Only edits that were younger than --fresh when they were overwritten may be lost."""
        ages = {}
        for when, sitekey, domain in editor.edits:
            written = [at for at, _ in editor.writes[sitekey] if at > when]
            if written:
                ages[domain] = written[0] - when
        outside = [domain for domain, age in ages.items() if age > fresh + SLACK]
        self.assertGreater(len(outside), len(editor.edits) / 10, "too short to show anything")
        gone = {domain: ages[domain] for _, _, domain in lost if domain in outside}
        self.assertEqual(gone, {}, "older than --fresh, and lost all the same")

    def test_nothing_older_than_fresh_is_lost(self):
        # Slow answers, a few at a time: the run takes several times as long as --fresh.
        self.check_window(1, *self.run_bulk(
            1, "--concurrency", 4, share=1, latency=0.09 * 300 / EDITS))

    def test_waiting_for_the_rate_budget_makes_nothing_older(self):
        self.check_window(1, *self.run_bulk(1, "--rate", "60/4", edits=100, share=1, latency=0.01))


if __name__ == "__main__":
    unittest.main()
