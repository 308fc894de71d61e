# SPDX-License-Identifier: MIT
"""Rows as text, as JSON and as a Markdown table, with the machine and the versions they hold for."""

import json
import os
import platform
import shutil
import subprocess
import time

from measure import figure


def line(row):
    text = f"{row['name']}: {figure(row['ours'])} {row['unit']}".rstrip()
    if row["peer"] is not None:
        text += f", peer {figure(row['peer'])}"
    if row["ratio"] is not None:
        text += f", ratio {figure(row['ratio'])} ({figure(row['min'])}–{figure(row['max'])})"
    if row["goal"]:
        text += f", goal {row['goal']}: {'met' if row['is_met'] else 'MISSED'}"
    return text + (f" [{row['note']}]" if row["note"] else "")


def first_line(*command):
    if not shutil.which(command[0]):
        return None
    done = subprocess.run(command, capture_output=True, text=True)
    said = (done.stdout + done.stderr).strip()
    return said.splitlines()[0] if said else None


def processor():
    with open("/proc/cpuinfo") as file:
        for text in file:
            if text.startswith("model name"):
                return text.split(":", 1)[1].strip()
    return platform.machine()


def machine(bench):
    versions = subprocess.run([bench.tshost_program, "--version"], capture_output=True, text=True)
    distribution = platform.freedesktop_os_release().get("PRETTY_NAME", "")
    found = {
        "taken": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "system": f"{distribution}, Linux {platform.release()}",
        "processor": f"{os.cpu_count()} × {processor()}",
        "load": " ".join(f"{load:.2f}" for load in os.getloadavg()) + " at the end",
        "tshost": ", ".join(versions.stdout.split("\n")).strip(", "),
        "nginx": first_line("nginx", "-v"),
        "curl": first_line("curl", "--version"),
        "node": first_line("node", "--version"),
        "valgrind": first_line("valgrind", "--version"),
    }
    lock = bench.place / "sdk" / "node_modules" / "cloudflare" / "package.json"
    if lock.exists():
        found["cloudflare (npm)"] = json.loads(lock.read_text())["version"]
    return {name: value for name, value in found.items() if value}


def table(rows):
    lines = ["| | ours | peer | ratio, median | min–max | n | goal | met |",
             "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    for row in rows:
        unit = f" {row['unit']}" if row["unit"] else ""
        spread = "" if row["ratio"] is None else f"{figure(row['min'])}–{figure(row['max'])}"
        is_met = {True: "yes", False: "**no**", None: ""}[row["is_met"]]
        note = f" ({row['note']})" if row["note"] else ""
        lines.append(
            f"| {row['name']}{note} | {figure(row['ours'])}{unit} | {figure(row['peer'])} | "
            f"{figure(row['ratio'])} | {spread} | {row['n']} | {row['goal'] or ''} | {is_met} |")
    return lines


def write(bench, about, rows, seconds):
    """Writes both files; about says what each group measures; returns where the table is."""
    there = {**machine(bench), "duration": f"{seconds:.0f} s"}
    results = {"machine": there, "rows": rows}
    (bench.place / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    lines = ["# Benchmark results", ""]
    lines += [f"- {name}: {value}" for name, value in there.items()]
    for group, text in about.items():
        found = [row for row in rows if row["group"] == group]
        lines += ["", f"## {group}", "", text.strip(), "", *table(found)]
    missed = [row["name"] for row in rows if row["is_met"] is False]
    lines += ["", f"Goals missed: {len(missed)}" + "".join(f"\n- {name}" for name in missed)]
    (bench.place / "results.md").write_text("\n".join(lines) + "\n")
    return bench.place / "results.md"
