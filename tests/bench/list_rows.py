# SPDX-License-Identifier: MIT
"""Lists: pages side by side over a slow network, and what a widget costs in a long one."""

import statistics

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


def repeat(bench, url, script, count, times, is_warm=False):
    if not is_warm:
        bench.run(bench.tshost(url, script, count))
    return [bench.run(bench.tshost(url, script, count)) for _ in range(times)]


def streamed(bench, fleet):
    """Each size above an empty fleet, so that the start of the program is not counted as a widget."""
    empty = repeat(bench, fleet.url(0), "list.lua", 0, 5)
    start = statistics.median(usage.cpu for usage in empty)
    base = statistics.median(usage.peak_kb for usage in empty)

    def cpu_each(usage, size):
        return (usage.cpu - start) / size * 1e6

    memory = {}
    for size in SIZES[:-1]:
        runs = repeat(bench, fleet.url(size), "list.lua", size, 5)
        memory[size] = [usage.peak_kb / 1024 for usage in runs]
        yield row(f"list of {size:,} streamed: CPU of a widget", "µs",
                  [cpu_each(usage, size) for usage in runs], [], [])
        yield row(f"list of {size:,} streamed: wall of a widget", "µs",
                  [usage.wall / size * 1e6 for usage in runs], [], [])
        yield row(f"list of {size:,} streamed: peak memory", "MB", memory[size], [], [])

    # A long run meets all that the machine does meanwhile: short ones before and after it as well.
    small, large = SIZES[1], SIZES[-1]
    longs, ratios, around = [], [], repeat(bench, fleet.url(small), "list.lua", small, 10)
    shorts = []
    for _ in range(3):
        longs += repeat(bench, fleet.url(large), "list.lua", large, 1, is_warm=True)
        after = repeat(bench, fleet.url(small), "list.lua", small, 10, is_warm=True)
        each = statistics.mean(cpu_each(usage, small) for usage in around + after)
        ratios.append(cpu_each(longs[-1], large) / each)
        shorts.append(each)
        around = after
    memory[large] = [usage.peak_kb / 1024 for usage in longs]
    yield row(f"list of {large:,} streamed: wall of a widget", "µs",
              [usage.wall / large * 1e6 for usage in longs], [], [])
    yield row(f"list of {large:,} streamed: peak memory", "MB", memory[large], [], [])
    yield row("a streamed widget, CPU: 10⁶ ÷ 10⁴", "µs",
              [cpu_each(usage, large) for usage in longs], shorts, ratios, ("<=", 1.20))
    per = {size: [(peak - base / 1024) / size * 1e4 for peak in memory[size]]
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
