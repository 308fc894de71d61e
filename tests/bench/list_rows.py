# SPDX-License-Identifier: MIT
"""Lists: pages side by side over a slow network, and what a widget costs in a long one."""

from fleet import Fleet
from measure import row
from relay import Relay
from web import Web

SIZES = (1000, 10000, 100000, 1000000)


def side_by_side(bench):
    """Ten pages at 100 ms; one in flight makes the same program go page after page."""
    with Web(bench.place / "nginx") as web, Relay(web.plain_port, 100) as relay:
        url = f"http://127.0.0.1:{relay.port}/client/v4"
        pairs = bench.pair(bench.tshost(url, "list.lua", 10000),
                           bench.tshost(url, "list.lua", 10000, options=("--concurrency", "1")),
                           pairs=3)
    yield row("list of 10,000, 100 ms away: wall ÷ page after page", "ms",
              [ours.wall * 1e3 for ours, _ in pairs], [peer.wall * 1e3 for _, peer in pairs],
              [ours.wall / peer.wall for ours, peer in pairs], ("<=", 0.30))


def repeat(bench, url, script, count, times):
    bench.run(bench.tshost(url, script, count))
    return [bench.run(bench.tshost(url, script, count)) for _ in range(times)]


def streamed(bench, fleet):
    """Each size above an empty fleet, so that the start of the program is not counted as a widget."""
    def cost(runs, what):
        return sorted(what(usage) for usage in runs)[len(runs) // 2]

    def cpu(usage):
        return usage.cpu

    def peak(usage):
        return usage.peak_kb

    empty = repeat(bench, fleet.url(0), "list.lua", 0, 5)
    each, memory = {}, {}
    for size in SIZES:
        runs = repeat(bench, fleet.url(size), "list.lua", size, 5 if size < 1000000 else 2)
        each[size] = [(usage.cpu - cost(empty, cpu)) / size * 1e6 for usage in runs]
        memory[size] = [usage.peak_kb / 1024 for usage in runs]
        yield row(f"list of {size:,} streamed: CPU of a widget", "µs", each[size], [], [])
        yield row(f"list of {size:,} streamed: wall of a widget", "µs",
                  [usage.wall / size * 1e6 for usage in runs], [], [])
        yield row(f"list of {size:,} streamed: peak memory", "MB", memory[size], [], [])
    large, small = SIZES[-1], SIZES[1]
    yield row("a streamed widget, CPU: 10⁶ ÷ 10⁴", "µs", each[large], each[small],
              [a / b for a, b in zip(each[large], each[small])], ("<=", 1.20))
    yield row("peak memory, streamed: 10⁶ ÷ 10⁴", "MB", memory[large], memory[small],
              [a / b for a, b in zip(memory[large], memory[small])])
    base = cost(empty, peak) / 1024
    per = {size: [(peak_mb - base) / size * 1e4 for peak_mb in memory[size]]
           for size in (small, large)}
    yield row("memory of 10,000 streamed widgets: 10⁶ ÷ 10⁴", "MB", per[large], per[small],
              [a / b for a, b in zip(per[large], per[small])], ("<=", 1.20))


def kept(bench, fleet):
    """What 10,000 more cost once some are there, and the whole program with 10,000."""
    few = repeat(bench, fleet.url(10000), "keep.lua", 10000, 3)
    many = repeat(bench, fleet.url(50000), "keep.lua", 50000, 3)
    more = [(b.peak_kb - a.peak_kb) / 4 / 1024 for a, b in zip(few, many)]
    yield row("memory of 10,000 more kept widgets", "MB", more, [], [], ("<=", 12))
    yield row("peak memory with 10,000 kept widgets", "MB",
              [usage.peak_kb / 1024 for usage in few], [], [])


def rows(bench):
    yield from side_by_side(bench)
    with Fleet() as fleet:
        yield from streamed(bench, fleet)
        yield from kept(bench, fleet)
