# SPDX-License-Identifier: MIT
# Fenced code blocks of a Markdown file, with the line on which each begins.
import os
import re
from dataclasses import dataclass

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))


@dataclass
class Block:
    path: str
    line: int
    language: str
    text: str

    def __str__(self):
        return f"{os.path.relpath(self.path, ROOT)}:{self.line}"

    @property
    def first(self):
        return self.text.split("\n", 1)[0]


def read(name):
    """The blocks of a file, named from the root of the project."""
    path = os.path.join(ROOT, name)
    blocks, open_at, language, lines = [], None, "", []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            fence = re.match(r"```(\w*)\s*$", line)
            if fence and open_at is None:
                open_at, language, lines = number, fence[1], []
            elif fence:
                blocks.append(Block(path, open_at, language, "".join(lines)))
                open_at = None
            elif open_at is not None:
                lines.append(line)
    if open_at is not None:
        raise ValueError(f"{name}:{open_at}: a block without an end")
    return blocks


def is_alike(expected, actual):
    """Whether the lines are alike; `...` stands for anything, alone for any lines."""
    pattern = ""
    for line in expected:
        if line == "...":
            pattern += r"(?:.*\n)*?"
        else:
            pattern += ".*?".join(re.escape(part) for part in line.split("...")) + r"\n"
    return re.fullmatch(pattern, "".join(line + "\n" for line in actual)) is not None
