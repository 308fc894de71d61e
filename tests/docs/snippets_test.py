# SPDX-License-Identifier: MIT
# The scripts and commands of the documentation do what stands beside them.
import os
import re
import subprocess
import tempfile
import unittest

import blocks
import host

PAGES = ["README.md", "docs/bulk.md", "docs/lua-api.md", "docs/errors.md", "docs/safety.md",
         "scripts/README.md"]
RUNNABLE = re.compile(r"-- runnable ?(.*)")
NAMED = re.compile(r"-- ([\w-]+\.lua)\b")


def commands_of(block):
    """Pairs of a command and the lines it prints."""
    commands = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            commands.append((line[2:], []))
        elif not commands:
            raise ValueError(f"{block}: a console block begins with a command")
        elif commands[-1][0].endswith("\\"):
            commands[-1] = (commands[-1][0][:-1] + line.strip(), [])
        else:
            commands[-1][1].append(line)
    return commands


class SnippetsTest(unittest.TestCase):
    def assert_alike(self, expected, actual, block):
        message = "\n".join([str(block), "expected:", *expected, "but it printed:", *actual])
        self.assertTrue(blocks.is_alike(expected, actual), message)

    def run_snippet(self, block, options):
        with tempfile.TemporaryDirectory() as directory:
            script = os.path.join(directory, "snippet.lua")
            with open(script, "w", encoding="utf-8") as file:
                file.write(block.text)
            done = subprocess.run(
                [host.TSHOST, "--sandbox", *options.split(), script], cwd=directory,
                env=host.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=120, check=False,
            )
        self.assertEqual(0, done.returncode, f"{block}: {done.stdout}{done.stderr}")
        expected = re.findall(r"--> ?(.*)", block.text)
        self.assert_alike(expected, done.stdout.splitlines(), block)

    def run_commands(self, page, page_blocks):
        environment = host.environment()
        with tempfile.TemporaryDirectory() as directory:
            os.symlink(os.path.join(blocks.ROOT, "scripts"), os.path.join(directory, "scripts"))
            for block in page_blocks:
                name = NAMED.match(block.first)
                if block.language == "lua" and name:
                    with open(os.path.join(directory, name[1]), "w", encoding="utf-8") as file:
                        file.write(block.text)
            for block in page_blocks:
                if block.language != "console":
                    continue
                for command, expected in commands_of(block):
                    done = subprocess.run(
                        ["sh", "-c", command], cwd=directory, env=environment,
                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                        stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
                    )
                    self.assert_alike(expected, done.stdout.splitlines(), f"{block}: {command}")

    def test_runnable_blocks(self):
        ran = 0
        for page in PAGES:
            for block in blocks.read(page):
                runnable = RUNNABLE.match(block.first)
                if block.language == "lua" and runnable:
                    with self.subTest(str(block)):
                        self.run_snippet(block, runnable[1])
                    ran += 1
        self.assertGreater(ran, 5, "blocks are not found any more")

    def test_console_blocks(self):
        for page in PAGES:
            with self.subTest(page):
                self.run_commands(page, blocks.read(page))

    def test_readme_has_a_script_of_fifteen_lines_that_is_run(self):
        readme = blocks.read("README.md")
        scripts = [block for block in readme if block.language == "lua"]
        self.assertEqual(1, len(scripts))
        self.assertLessEqual(len(scripts[0].text.splitlines()), 15)
        name = NAMED.match(scripts[0].first)[1]
        commands = [c for b in readme if b.language == "console" for c, _ in commands_of(b)]
        self.assertTrue(any(name in command for command in commands), f"{name} is not run")

    def test_alike(self):
        self.assertTrue(blocks.is_alike(["a ... c", "...", "z"], ["a b c", "x", "y", "z"]))
        self.assertTrue(blocks.is_alike(["a", "...", "z"], ["a", "z"]))
        self.assertFalse(blocks.is_alike(["a"], ["a", "b"]))
        self.assertFalse(blocks.is_alike(["a", "b"], ["a"]))
        self.assertFalse(blocks.is_alike(["a.c"], ["abc"]))


if __name__ == "__main__":
    unittest.main()
