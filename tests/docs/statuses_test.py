# SPDX-License-Identifier: MIT
# Every exit status in docs/errors.md happens as it says there, alone and in the order of precedence.
# In the end prints the table: how many command lines reached each status.
import collections
import http.server
import os
import re
import signal
import subprocess
import tempfile
import threading
import unittest

import blocks
import host

WIDGETS = 'local widgets = require "turnstile".widgets '
FIELDS = '{ name = "acme", domains = { "acme.example" }, mode = "managed" }'
CREATE = f"local w, err = widgets.create({FIELDS}) "
GONE = 'widgets.update("0x4gone", { name = "new" }) '
NOBODY = "http://127.0.0.1:9/client/v4"  # port 9 (discard): nobody listens


def documented():
    """What docs/errors.md says of each status, and the order in which they win."""
    with open(os.path.join(blocks.ROOT, "docs/errors.md"), encoding="utf-8") as file:
        text = file.read().partition("\n## Exit status\n")[2]
    rows = dict(re.findall(r"^\| ([\d, ]+) \| (.*) \|$", text, re.MULTILINE))
    meanings = {int(n): meaning for ns, meaning in rows.items() for n in ns.split(", ")}
    order = text.partition("the first of these wins:")[2].partition("included.")[0]
    return meanings, [int(n) for n in re.findall(r"\d+", order)]


class Server(http.server.BaseHTTPRequestHandler):
    """Says no with status 200, which the API's envelope allows."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"success":false,"errors":[{"code":1,"message":"no"}],"messages":[],"result":null}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class StatusesTest(unittest.TestCase):
    meanings, order = documented()
    seen = collections.Counter()

    def expect(self, status, *arguments, says="", **more):
        got, out, err = host.run(*arguments, **more)
        self.assertEqual(status, got, f"{arguments}: {out}{err}")
        self.assertIn(says, err)
        self.reached(status)
        return out

    def reached(self, status):
        self.assertIn(status, self.meanings)
        self.seen[status] += 1

    def setUp(self):
        self.home = self.enterContext(tempfile.TemporaryDirectory())

    def at(self, sandbox, **more):
        """What leads commands to that server, with a state directory that lasts for the test."""
        return {"CLOUDFLARE_BASE_URL": sandbox.url, "CLOUDFLARE_ACCOUNT_ID": host.ACCOUNT,
                "CLOUDFLARE_API_TOKEN": host.TOKEN, "TSHOST_STATE": self.home, **more}

    def script(self, code):
        path = os.path.join(self.home, "script.lua")
        with open(path, "w", encoding="utf-8") as file:
            file.write(WIDGETS + code)
        return path

    def expect_offline(self, status, code, *options, says=""):
        self.expect(status, "--sandbox", *options, "-e", WIDGETS + code, says=says)

    def expect_at(self, url, status, code, says="", token=host.TOKEN):
        self.expect(
            status, "--base-url", url, "--account", host.ACCOUNT, "--max-wait", "0",
            "-e", WIDGETS + code, says=says, CLOUDFLARE_API_TOKEN=token,
        )

    def test_0(self):
        self.expect_offline(0, CREATE + "assert(w)", says="1 created")
        self.expect_offline(0, 'local w, err = widgets.get "0x4gone" assert(err.status == 404)')
        self.expect_offline(0, f'local _, err = {GONE} err:forgive "gone"', says="forgiven")

    def test_1(self):
        self.expect_offline(1, 'error "oops"', says="oops")
        self.expect_offline(1, "x =", says="(command line):1:")
        self.expect_offline(1, 'require "task".spawn(error, "unheard")', says="unheard")

    def test_2(self):
        self.expect(2, "--no-such-option", "-e", "")
        self.expect(2, "no-such-script.lua")
        self.expect(2, "-e", WIDGETS + CREATE, CLOUDFLARE_API_TOKEN=host.TOKEN, says="no account")

    def test_1_output(self):
        done = subprocess.run(["sh", "-c", 'exec "$0" "$@" >/dev/full', host.TSHOST, "-e", "print(1)"],
                              env=host.environment(), capture_output=True, timeout=120, check=False)
        self.assertEqual((1, b""), (done.returncode, done.stdout))
        self.assertIn(b"cannot write to standard output", done.stderr)
        self.reached(1)

    def test_2_commands(self):
        for command in "plan", "apply", "resume", "undo":
            self.expect(2, command)
        for command in "log", "resume":
            self.expect(2, command, "no-such-run", says="there is no run")
        self.expect(2, "apply", "/nowhere/plan.json", says="/nowhere/plan.json")

    def test_3(self):
        self.expect_offline(3, "os.exit(3)")

    def test_plans(self):
        file = os.path.join(self.home, "plan.json")
        with host.Sandbox() as sandbox:
            at = self.at(sandbox)
            script = self.script("for w in widgets.list() do assert(widgets.update(w, "
                                 '{ name = "renamed" })) end')
            self.expect(0, "plan", script, **at)
            self.expect(0, "-e", WIDGETS + CREATE, **at)
            self.expect(3, "plan", script, "-o", file, **at)
            self.expect(5, "apply", file, **self.at(sandbox, CLOUDFLARE_ACCOUNT_ID="f" * 32))
            self.expect(0, "apply", file, **at)
            self.expect(5, "apply", file, **at, says="applied")
            self.expect(0, "plan", script, **at)

    def test_stale_plans(self):
        file = os.path.join(self.home, "plan.json")
        with host.Sandbox() as sandbox:
            at = self.at(sandbox)
            self.expect(0, "-e", WIDGETS + CREATE, **at)
            script = self.script('widgets.update(widgets.all()[1], { name = "planned" })')
            self.expect(3, "plan", script, "-o", file, **at)
            self.expect(0, "-e", WIDGETS + 'widgets.update(widgets.all()[1], { name = "mine" })', **at)
            self.expect(6, "apply", file, **at)
            name = "print(widgets.all()[1].name)"
            self.assertEqual("mine\n", self.expect(0, "--read-only", "-e", WIDGETS + name, **at))

    def test_4(self):
        self.expect_offline(4, GONE, says="1 failed")
        self.expect_offline(4, CREATE + 'w.secret:write "/nowhere/secret"', says="1 secret not delivered")

    def test_5(self):
        self.expect_offline(5, CREATE, "--read-only", says="--read-only")
        self.expect_offline(5, CREATE + "widgets.delete(w)", says="--allow delete")

    def test_6(self):
        code = """
          local w = assert(widgets.create { name = "acme", domains = { "a.example" }, mode = "managed" })
          assert(turnstile.client { account_id = "%s" }.widgets.update(w.sitekey, { name = "b" }))
          local new, err = widgets.update(w, { name = "c" })
          assert(not new and err.kind == "stale")""" % host.ACCOUNT
        with host.Sandbox() as sandbox:
            self.expect(
                6, "--base-url", sandbox.url, "--account", host.ACCOUNT, "--fresh", "0", "-e",
                'local turnstile = require "turnstile" ' + WIDGETS + code, says="1 stale",
                CLOUDFLARE_API_TOKEN=host.TOKEN,
            )

    def test_7(self):
        with host.Sandbox() as sandbox, tempfile.TemporaryDirectory() as state:
            arguments = ("--base-url", sandbox.url, "--account", host.ACCOUNT)
            environment = {"CLOUDFLARE_API_TOKEN": host.TOKEN, "TSHOST_STATE": state}
            hold = WIDGETS + 'widgets.all() print "up" io.stdout:flush() io.read()'
            with subprocess.Popen([host.TSHOST, *arguments, "-e", hold], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, text=True,
                                  env=host.environment(**environment)) as holder:
                holder.stdout.readline()
                for code in "widgets.all()", "pcall(widgets.all)":
                    self.expect(7, *arguments, "-e", WIDGETS + code, says=f"pid {holder.pid}",
                                **environment)
                self.expect(0, "--read-only", *arguments, "-e", WIDGETS + "widgets.all()",
                            **environment)
                self.expect(0, "--if-locked=skip", *arguments, "-e", WIDGETS + "widgets.all()",
                            says="skipped", **environment)
                holder.communicate(timeout=120)
            self.assertEqual(0, holder.returncode)

    def test_8(self):
        self.expect(8, "--account", host.ACCOUNT, "-e", WIDGETS + CREATE, says="no API token")
        with host.Sandbox() as sandbox:
            self.expect_at(sandbox.url, 8, "widgets.all()", token="another")

    def test_9(self):
        self.expect_at(NOBODY, 9, 'widgets.get "0x4x"')
        self.expect_at(NOBODY, 9, "pcall(widgets.all)")
        self.expect_at(NOBODY, 9, CREATE, says="1 not sent")
        with host.Sandbox() as sandbox:
            for kind in "429", "502", "truncate":
                sandbox.fail_next("get", kind, times=1 if kind == "429" else 5)
                self.expect_at(sandbox.url, 9, 'widgets.get "0x4x"')

    def test_9_state(self):
        """What cannot be recorded is not done."""
        with host.Sandbox() as sandbox:
            file = os.path.join(self.home, "file")
            with open(file, "wb"):
                pass
            self.expect(9, "-e", WIDGETS + CREATE, **self.at(sandbox, TSHOST_STATE=file),
                        says="is not a directory")
            with open(os.path.join(self.home, "journal.db"), "wb") as journal:
                journal.write(b"garbage" * 1000)
            self.expect(9, "-e", WIDGETS + CREATE, **self.at(sandbox), says="journal.db")
            self.expect(0, "--read-only", "-e", WIDGETS + "assert(#widgets.all() == 0)",
                        **self.at(sandbox))

    def test_10(self):
        with host.Sandbox() as sandbox:
            for kind in "drop", "truncate", "502":
                with self.subTest(kind):
                    sandbox.fail_next("create", kind)
                    sandbox.fail_next("list", "502", times=1000)
                    code = CREATE + 'assert(not w and err.outcome == "unknown")'
                    self.expect(
                        10, "--base-url", sandbox.url, "--account", host.ACCOUNT, "--max-wait=0.2",
                        "-e", WIDGETS + code, says="1 in doubt",
                        CLOUDFLARE_API_TOKEN=host.TOKEN,
                    )

    def test_a_refusal_is_one_whatever_its_http_status(self):
        with http.server.HTTPServer(("127.0.0.1", 0), Server) as server:
            threading.Thread(target=server.handle_request, daemon=True).start()
            url = f"http://127.0.0.1:{server.server_port}/client/v4"
            self.expect_at(url, 4, CREATE + "assert(not w)", says="1 failed")

    def test_signals(self):
        for number in signal.SIGINT, signal.SIGTERM:
            process = subprocess.Popen(
                [host.TSHOST, "-e", 'print "up" io.stdout:flush() require "task".sleep(600)'],
                env=host.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE, text=True,
            )
            process.stdout.readline()
            process.send_signal(number)
            _, err = process.communicate(timeout=120)
            self.assertEqual(128 + number, process.returncode)
            self.assertIn("interrupted", err)
            self.reached(process.returncode)

    def test_precedence(self):
        refused, read = 'widgets.delete "0x4x" ', 'widgets.get "0x4x" '
        with host.Sandbox() as sandbox:
            sandbox.fail_next("get", "502", times=5)
            self.expect_at(sandbox.url, 5, CREATE + refused + read)
            sandbox.fail_next("get", "502", times=5)
            self.expect_at(sandbox.url, 9, CREATE + read + GONE)
            sandbox.fail_next("create", "drop")
            self.expect_at(sandbox.url, 10, CREATE + refused)
        self.expect_offline(4, GONE + 'error "oops"')
        self.expect_offline(4, GONE + "os.exit(0)")
        self.expect_offline(5, refused + GONE)
        self.expect_offline(0, "pcall(widgets.get)")  # misuse is the script's own business
        self.assertEqual([10, 130, 143, 8, 7, 5, 6, 9, 4, 2, 1, 3], self.order)

    @classmethod
    def tearDownClass(cls):
        for status, meaning in sorted(cls.meanings.items()):
            print(f"{status:4}  {cls.seen[status]:3} times  {meaning[:70]}", flush=True)
        if set(cls.meanings) != set(cls.seen):
            raise AssertionError(f"documented {sorted(cls.meanings)}, seen {sorted(cls.seen)}")


if __name__ == "__main__":
    unittest.main()
