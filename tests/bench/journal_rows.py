# SPDX-License-Identifier: MIT
"""tshost with its journal on disk against tshost without one: what it costs to know what was done."""

from account import Account
from measure import cpu_row, rate_row, row

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
