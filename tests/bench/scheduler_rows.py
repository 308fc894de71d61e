# SPDX-License-Identifier: MIT
"""What a task costs beside the work in it."""

import shutil

from measure import HERE, row

KINDS = (
    ("each", "task.each over a function that returns"),
    ("sleep", "task.each over a function that sleeps 0 s"),
    ("spawn", "spawn and await"),
)
FEW, MANY, MOST = 1000, 100000, 1000000


def rows(bench):
    for kind, label in KINDS:
        def command(count, kind=kind):
            return [bench.tshost_program, "--quiet", f"{HERE}/lua/tasks.lua", kind, str(count)]

        runs = bench.pair(command(MANY), command(FEW))
        each = [(many.cpu - few.cpu) / (MANY - FEW) * 1e9 for many, few in runs]
        yield row(f"{label}, 10⁵ tasks: CPU of a task", "ns", each, [], [])
        if shutil.which("valgrind"):
            instructions = bench.instructions_each(command, FEW, 10 * FEW)
            yield row(f"{label}: user instructions of a task", "instructions", [instructions], [],
                      [])
        runs = bench.pair(command(MOST), command(MANY), pairs=3)
        yield row(f"{label}: CPU of a task, 10⁶ ÷ 10⁵ tasks", "ns",
                  [many.cpu / MOST * 1e9 for many, _ in runs],
                  [few.cpu / MANY * 1e9 for _, few in runs],
                  [many.cpu / MOST / (few.cpu / MANY) for many, few in runs], ("<=", 1.20))
