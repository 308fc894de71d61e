# SPDX-License-Identifier: MIT
"""Options, scripts and how they are found: argv to standard output, standard error and status."""

import os
import re
import stat
import tempfile
import unittest
from pathlib import Path

from host import TSHOST, Case


class Usage(Case):
    def complains(self, part, *arguments, status=2):
        """One line on standard error, nothing on standard output."""
        done = self.run_tshost(*arguments)
        self.assert_status(done, status)
        self.assertEqual(done.out, "")
        self.assertEqual(len(done.lines), 1, done)
        self.assertTrue(done.err.startswith("tshost: "), done)
        self.assertIn(part, done.err)
        return done

    def test_help(self):
        for option in ("--help", "-h"):
            done = self.run_tshost(option)
            self.assert_status(done, 0)
            self.assertEqual(done.err, "")
            for part in ("Usage:", "--sandbox[=FILE]", "--read-only", "--allow", "Exit status"):
                self.assertIn(part, done.out)
            self.assertLessEqual(max(map(len, done.out.splitlines())), 80)
        for command in ("sandbox", "doctor", "plan"):
            done = self.run_tshost(command, "--help")
            self.assert_status(done, 0)
            self.assertIn(f"Usage: tshost {command}", done.out)
            self.assertLessEqual(max(map(len, done.out.splitlines())), 80)

    def test_help_is_in_groups(self):
        out = self.run_tshost("--help").out
        places = [out.index(part) for part in (
            "\nConnection:\n", "--account", "\nWrites:\n", "--allow", "\nRate budget:\n", "--reserve",
            "\nTime:\n", "--deadline", "\nOutput:\n", "--quiet", "\nOther:\n", "--version",
            "\nOptions of sandbox:\n", "--listen")]
        self.assertEqual(places, sorted(places))
        self.complains("unknown option --Output;", "--Output")

    def test_version(self):
        for option in ("--version", "-V"):
            done = self.run_tshost(option)
            self.assert_status(done, 0)
            self.assertRegex(done.out, r"^tshost \d+\.\d+\.\d+\n")
            for library in ("Lua 5.4", "libcurl", "SQLite", "libmicrohttpd", "libsodium"):
                self.assertIn(library, done.out)

    def test_unknown_options(self):
        done = self.complains("unknown option --read-onyl", "--read-onyl", "x.lua")
        self.assertIn("read-only", done.err)
        self.complains("unknown option --frobnicate; tshost --help lists them", "--frobnicate")
        self.complains("unknown option -x", "-x")
        self.complains("write --sandbox in full", "--sand", "x.lua")
        self.complains("--read-only takes no value", "--read-only=yes", "x.lua")
        self.complains("--account needs a value", "--account")
        self.complains("-e is there twice", "-e", "x = 1", "-e", "print(1)")
        self.complains("unknown option --latancy", "sandbox", "--latancy", "5")
        self.complains("unknown option --alow", "doctor", "--alow")

    def test_bad_values(self):
        self.complains("--concurrency 0: a whole number from 1 to 1024", "--concurrency", "0", "x")
        self.complains("--concurrency many", "--concurrency", "many", "x")
        self.complains("--concurrency 16x", "--concurrency=16x", "x")
        self.complains("--timeout soon: seconds expected", "--timeout", "soon", "x")
        self.complains("--timeout nan", "--timeout", "nan", "x")
        self.complains("\"everything\" is not a permission", "--allow", "everything", "x")
        self.complains("--max-create N caps how many", "--allow", "create=5", "x")
        self.complains("--max-update many: a whole number expected", "--max-update", "many", "x")
        self.complains("--max-create -1: a whole number expected", "--max-create", "-1", "x")
        self.complains("the cap must be a whole number from 1", "--allow", "delete=0", "x")
        self.complains("the cap must be a whole number from 1", "--allow", "delete=", "x")
        self.complains("doctor takes options only", "doctor", "now")

    def test_no_script(self):
        self.complains("no script given")
        self.complains("no script given", "--read-only")
        self.complains("gone.lua: no such script", "gone.lua")
        self.complains("doctor is a command, and a command comes first", "--read-only", "doctor")
        self.complains("./onboard.lua: no such script", "./onboard.lua")

    def test_unreadable_scripts(self):
        self.complains("cannot read", self.home)
        if os.geteuid() != 0:
            path = self.script("print(1)")
            path.chmod(0)
            self.complains("cannot open", path)

    def test_syntax_error(self):
        path = self.script("local x = 1\nlocal y = = 2\n")
        self.complains("script.lua:2: unexpected symbol near '='", path, status=1)
        self.complains("(command line):1:", "-e", "x x", status=1)
        binary = self.home / "binary.lua"
        binary.write_bytes(b"\x1bLua\x54\x00")
        self.complains("attempt to load a binary chunk", binary, status=1)

    def test_script_error(self):
        path = self.script("local function f()\n  error('no\\nsecond line')\nend\nf()\n")
        done = self.run_tshost(path)
        self.assert_status(done, 1)
        self.assertRegex(done.lines[0], r"^tshost: .*script\.lua:2: no")
        self.assertNotIn("traceback", done.err)
        done = self.run_tshost("--verbose", path)
        self.assertIn("stack traceback:", done.err)
        self.assertRegex(done.err, r"\n  \S*script\.lua:4:")
        path = self.script("local function f()\n  assert(require 'turnstile'.widgets.get 'a')\nend\n"
                           "f()\n")
        done = self.run_tshost("--verbose", "--sandbox", path)
        self.assertIn("stack traceback:", done.err)
        self.assertRegex(done.err, r"\n  \S*script\.lua:4:")
        self.complains("(error object is a table value)", "-e", "error {}", status=1)
        self.complains("(error object is a nil value)", "-e", "error()", status=1)
        self.complains("own words", "-e", "error(setmetatable({}, { __tostring = "
                       "function() return 'own words' end }))", status=1)

    def test_execute(self):
        done = self.run_tshost("-e", "print(1 + 1, ...)", "a", "-b", "--help")
        self.assert_status(done, 0)
        self.assertEqual(done.out, "2\ta\t-b\t--help\n")
        done = self.run_tshost("--execute=print(arg[0], arg[1], arg[-1])", "x")
        self.assertEqual(done.out, f"-e\tx\t{TSHOST}\n")

    def test_standard_input(self):
        done = self.run_tshost("-", "x", "y", text="print(arg[0], ...)\nprint(io.read 'a')")
        self.assert_status(done, 0)
        self.assertEqual(done.out, "-\tx\ty\n\n")
        done = self.run_tshost("-", text="print(1")
        self.assert_status(done, 1)
        self.assertRegex(done.err, r"^tshost: stdin:1: .*expected")

    def test_what_a_script_leaves_of_standard_input(self):
        """A file that it only began to read is there for whoever reads on, as after any program."""
        with tempfile.TemporaryFile() as lines:
            lines.write(b"first\nsecond\n")
            lines.seek(0)
            for expected in ("first", "second"):
                done = self.start("-e", "print(io.read())", stdin=lines).finish()
                self.assertEqual(done.out, expected + "\n", done)

    def test_arguments(self):
        path = self.script("print(arg[0], #arg, ...)\nfor i = 1, #arg do print(arg[i]) end")
        done = self.run_tshost("--quiet", path, "one", "--version", "--", "", "-e", "ö")
        self.assert_status(done, 0)
        self.assertEqual(done.out.splitlines()[0], f"{path}\t6\tone\t--version\t--\t\t-e\tö")
        self.assertEqual(done.out.splitlines()[1:], ["one", "--version", "--", "", "-e", "ö"])
        done = self.run_tshost("--", path, "x")
        self.assertEqual(done.out.splitlines()[1:], ["x"])

    def test_name_value_and_name_equals_value(self):
        path = self.script("print(1)")
        for arguments in (["--concurrency", "4"], ["--concurrency=4"], ["--allow", "delete,rotate=2"],
                          ["--allow=delete", "--allow=reveal"]):
            self.assertEqual(self.run_tshost(*arguments, path).out, "1\n")

    def test_shebang(self):
        path = self.script("#!/usr/bin/env tshost\nprint('run', ...)\n", "tool")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        search = f"{Path(TSHOST).parent}:{os.environ['PATH']}"
        done = self.run_tshost("a", "b", program=str(path), environment={"PATH": search})
        self.assert_status(done, 0)
        self.assertEqual(done.out, "run\ta\tb\n")

    def test_stock_script_by_its_bare_name(self):
        """From a directory that has nothing to do with the installation."""
        done = self.run_tshost("onboard.lua", "--help")
        self.assert_status(done, 0)
        self.assertIn("--secrets-dir", done.out)
        done = self.run_tshost("onboard.lua")
        self.assert_status(done, 2)
        # What lies here comes first.
        self.script("print 'mine'", "onboard.lua")
        self.assertEqual(self.run_tshost("onboard.lua").out, "mine\n")

    def test_modules(self):
        """Beside the script wherever it was started from, and never in the working directory."""
        (self.home / "app").mkdir()
        self.script("return 'beside'", "app/helper.lua")
        self.script("return 'from the working directory'", "stray.lua")
        path = self.script("print(require 'helper', pcall(require, 'stray'))", "app/main.lua")
        for script in (path, "app/main.lua", "./app/main.lua"):
            done = self.run_tshost(script)
            self.assertRegex(done.out, r"^beside\tfalse\t.*module 'stray' not found")
        self.script("return 'a directory of odd name'", "a;b?.c/helper.lua")
        self.script("print((require 'helper'))", "a;b?.c/main.lua")
        done = self.run_tshost("a;b?.c/main.lua")
        self.assertEqual(done.out, "a directory of odd name\n", done)
        binary = self.home / "app/binary.lua"
        binary.write_bytes(b"\x1bLua\x54\x00")
        self.complains("attempt to load a binary chunk", self.script(
            "require 'binary'", "app/loads.lua"), status=1)
        done = self.run_tshost("-e", "print(pcall(require, 'stray'))")
        self.assertRegex(done.out, r"^false\t")
        self.script("return nil +", "app/broken.lua")
        path = self.script("require 'broken'", "app/main.lua")
        done = self.run_tshost(path)
        self.assert_status(done, 1)
        self.assertRegex(done.err, r"broken\.lua:1: ")

    def test_modules_in_c(self):
        """They find Lua in the program, also what the program itself does not call."""
        path = os.environ["NATIVE_MODULE"]
        done = self.run_tshost(
            "-e", "local native = require 'native_module' "
                  "print(native.sum(1, 2, 39), native.keep 'kept', pcall(native.sum))",
            environment={"LUA_CPATH": path})
        self.assert_status(done, 0)
        self.assertEqual(
            done.out,
            "42\tkept\tfalse\tbad argument #1 to 'native_module.sum' (nothing to add)\n", done)

    def test_nothing_to_say_says_nothing(self):
        done = self.run_tshost("-e", "local x = 1")
        self.assertEqual((done.status, done.out, done.err), (0, "", ""))
        done = self.run_tshost("--sandbox", "-e", "print(#require('turnstile').widgets.all())")
        self.assertEqual((done.status, done.out, done.err), (0, "0\n", ""))

    def test_no_colour_codes(self):
        done = self.run_tshost("--verbose", "-e", "error('x')")
        self.assertIsNone(re.search(r"\x1b", done.err + done.out))


if __name__ == "__main__":
    unittest.main()
