# SPDX-License-Identifier: MIT
"""tshost with its journal on disk against tshost without one: what it costs to know what was done."""

from account import Account
from measure import cpu_row, rate_row, row
from web import Web

COUNT = 10000  # updates
GOAL = (">=", 0.85)


def rows(bench):
    with Account(bench) as account:
        account.fill(COUNT)
        bench.environment |= account.environment
        command = bench.tshost(account.url, "journal.lua", COUNT, 32)
        peer = [bench.unrecorded_program, *command[1:]]
        pairs = bench.pair(command, peer, pairs=bench.many_pairs)
        name = "list and update of each against a sandbox, 32 in flight"
        yield rate_row(f"{name}: requests/s with the journal ÷ without", pairs, COUNT, GOAL)
        yield cpu_row(f"{name}: CPU with the journal ÷ without", pairs, COUNT)
        size = sum(file.stat().st_size for file in bench.state.glob("journal.db*"))
        runs = bench.many_pairs + 1
        yield row("journal on disk, an update", "bytes", [size / COUNT / runs], [], [])
    # A server that answers at once, several requests at a time: the journal alone is waited for.
    with Web(bench.place / "nginx-journal") as web:
        command = bench.tshost(web.plain, "bulk.lua", COUNT, 32)
        pairs = bench.pair(command, [bench.unrecorded_program, *command[1:]])
        name = "list and update of each against nginx, 32 in flight"
        yield rate_row(f"{name}: requests/s with the journal ÷ without", pairs, COUNT)
        yield cpu_row(f"{name}: CPU with the journal ÷ without", pairs, COUNT)
