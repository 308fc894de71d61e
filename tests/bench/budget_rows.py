# SPDX-License-Identifier: MIT
"""The rate budget: how much of the allowance is used, what is refused, and what a bulk edit costs.

The bound is what so many requests in any window allow: for R requests, floor((R - 1) / limit) windows.
A window of 3 s stands for the service's 300 s, so what an exchange takes weighs a hundred times more.
"""

import shutil
import subprocess
from collections import Counter
from datetime import datetime

import web
from account import Account
from measure import HERE, row

LIMIT, WINDOW = 1200, 3
REQUESTS = 3 * LIMIT + 12
KINDS = ("fixed-window", "sliding-log", "sliding-counter", "token-bucket")


def command(bench, account, script, *arguments):
    """Read-only, because several runs at once may only read."""
    return [bench.tshost_program, "--base-url", account.url, "--rate", f"{LIMIT}/{WINDOW}",
            "--concurrency", "32", "--quiet", "--read-only", f"{HERE}/lua/{script}", *map(str, arguments)]


def seconds_of(requests):
    """From the first request to the last, by the server's clock."""
    times = [datetime.fromisoformat(requests[i]["time"]) for i in (0, -1)]
    return (times[1] - times[0]).total_seconds()


def spend(bench, account, processes):
    """All processes begin at once, and share nothing but the state directory. Says how many failed."""
    shutil.rmtree(bench.state)
    bench.state.mkdir()
    environment = bench.environment | account.environment
    share = command(bench, account, "budget.lua", REQUESTS // processes, web.sitekey(0))
    running = [subprocess.Popen(share, env=environment, stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
               for _ in range(processes)]
    return sum(process.wait() != 0 for process in running)


def shares(bench):
    bound = (REQUESTS - 1) // LIMIT * WINDOW
    for kind in KINDS:
        for processes in (1, 4):
            options = ("--rate", f"{LIMIT}/{WINDOW}", "--limiter", kind)
            with Account(bench, *options) as account:
                account.fill(1)
                failed = spend(bench, account, processes)
                requests = account.requests()
            taken = seconds_of(requests)
            refused = sum(request["status"] == 429 for request in requests)
            label = f"{REQUESTS:,} requests at {LIMIT} per {WINDOW} s, {kind}, {processes} process"
            label += "es" if processes > 1 else ""
            share = 0 if failed else bound / taken  # a job that was not done took no time
            yield row(f"{label}: bound ÷ time", "s", [taken], [bound], [share], (">=", 0.99),
                      f"{failed} processes failed" if failed else f"{len(requests):,} requests")
            yield row(f"{label}: refused with 429", "", [refused], [], [], ("<=", 0))


def bulk(bench):
    """10,000 widgets of which 2,500 change; then the same again, which changes none."""
    with Account(bench) as account:
        account.fill(10000)
        chosen = bench.place / "sitekeys.txt"
        chosen.write_text("".join(f"{web.sitekey(i)}\n" for i in range(0, 10000, 4)))
        edit = [bench.tshost_program, "--base-url", account.url, "--rate", "1000000000/1",
                "--quiet", "bulk_domains.lua", "--add", "new.acme.example", "--sitekeys", chosen]
        before = 0
        for label, least in (("first run", 10 + 2500), ("the same again", 10)):
            subprocess.run(edit, env=bench.environment | account.environment, check=True,
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            requests = account.requests()[before:]
            before += len(requests)
            kinds = Counter(request["op"] for request in requests)
            yield row(f"bulk edit of 10,000 where 2,500 change, {label}: requests ÷ least",
                      "requests", [len(requests)], [least], [len(requests) / least], ("<=", 1.02),
                      ", ".join(f"{count:,} {op}" for op, count in sorted(kinds.items())))


def rows(bench):
    yield from shares(bench)
    yield from bulk(bench)
