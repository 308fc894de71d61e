# SPDX-License-Identifier: MIT
"""A terminal to run programs on: a pseudo-terminal, and the screen that its bytes make.

It knows what the progress line and plain text use: CR, LF, erase to the end of the screen, autowrap
on and off, colours. Anything else is an error, so that nothing slips in unseen. A row that is
broken because the window became narrower keeps the cursor at its place in the text, as terminals of
today do."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios

PATIENCE = 60
CONTROL = re.compile(r"\x1b\[(\?7[lh]|J|[0-9]+m)")


class Screen:
    """Rows of text and a cursor; no height, so that nothing is ever scrolled away."""

    def __init__(self, columns):
        self.columns = columns
        self.rows = [""]
        self.row = self.column = 0
        self.is_wrapping = True

    def feed(self, text):
        at = 0
        while at < len(text):
            control = CONTROL.match(text, at)
            if control:
                self._control(control[1])
                at = control.end()
                continue
            self._put(text[at])
            at += 1

    def _control(self, name):
        if name == "J":
            self.rows[self.row] = self.rows[self.row][:self.column]
            del self.rows[self.row + 1:]
        elif not name.endswith("m"):  # colours change nothing that is told here
            self.is_wrapping = name == "?7h"

    def _put(self, char):
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self.row += 1
            while len(self.rows) <= self.row:
                self.rows.append("")
        elif char < " ":
            raise AssertionError(f"an unknown control character: {char!r}")
        else:
            if self.column == self.columns:
                if self.is_wrapping:
                    self._put("\r")
                    self._put("\n")
                else:
                    self.column -= 1
            line = self.rows[self.row].ljust(self.column)
            self.rows[self.row] = line[:self.column] + char + line[self.column + 1:]
            self.column += 1

    def resize(self, columns):
        """Breaks rows that no longer fit."""
        self.columns = columns
        rows, row = [], 0
        for index, line in enumerate(self.rows):
            if index == self.row:
                row = len(rows) + self.column // columns
            rows += [line[i:i + columns] for i in range(0, max(len(line), 1), columns)]
        self.rows, self.row, self.column = rows, row, self.column % columns

    @property
    def text(self):
        return [row.rstrip() for row in self.rows]


class Terminal:
    """A program on a terminal of its own: `screen` is what a person in front of it sees."""

    def __init__(self, arguments, environment, directory, columns=80, **streams):
        self._master, slave = pty.openpty()
        self._set_size(slave, columns)
        self.screen = Screen(columns)
        self.bytes = b""
        everything = {"stdin": slave, "stdout": slave, "stderr": slave, **streams}
        self.process = subprocess.Popen(
            [*map(str, arguments)], env=environment, cwd=directory, start_new_session=True,
            **everything)
        os.close(slave)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)

    @staticmethod
    def _set_size(fd, columns):
        fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))

    def _read(self):
        """Takes what has come; False at the end."""
        if not select.select([self._master], [], [], PATIENCE)[0]:
            raise AssertionError(f"nothing came any more: {self.screen.text}")
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: nobody has the other end open
            return False
        self.bytes += data
        self.screen.feed(data.decode())
        return bool(data)

    def wait_for(self, pattern):
        """Reads on until a row of the screen fits the pattern; gives the match."""
        while True:
            for row in self.screen.text:
                match = re.search(pattern, row)
                if match:
                    return match
            if not self._read():
                raise AssertionError(f"{pattern!r} never came: {self.screen.text}")

    def resize(self, columns):
        self.screen.resize(columns)
        self._set_size(self._master, columns)

    def signal(self, number=signal.SIGINT):
        self.process.send_signal(number)

    def finish(self):
        """Reads to the end; gives the exit status."""
        while self._read():
            pass
        return self.process.wait(timeout=PATIENCE)
