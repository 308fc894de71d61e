# SPDX-License-Identifier: MIT
"""`tshost sandbox` and `tshost doctor` as commands."""

import signal
import socket
import unittest

from host import ACCOUNT, TOKEN, Case, Sandbox

WELL = ("--account", ACCOUNT, "--token", TOKEN)


class SandboxCommand(Case):
    def test_ready_line_and_orderly_end(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                process = self.start("sandbox", "--listen", "127.0.0.1:0", *WELL)
                url = process.wait_for_line()
                self.assertRegex(url, r"^http://127\.0\.0\.1:\d+/client/v4$")
                done = self.run_tshost("-e", "print(#require('turnstile').widgets.all())",
                                       sandbox=url)
                self.assertEqual((done.status, done.out), (0, "0\n"), done)
                process.signal(number)
                done = process.finish()
                self.assertEqual((done.status, done.out, done.err), (0, url + "\n", ""))

    def test_only_this_machine(self):
        for listen in ("0.0.0.0:0", "[::]:0", "192.0.2.1:0", "example.com:80", "127.0.0.1",
                       "127.0.0.1:99999", ":0", "127.0.0.1:x", ""):
            with self.subTest(listen):
                done = self.run_tshost("sandbox", "--listen", listen)
                self.assert_status(done, 2)
                self.assertEqual((done.out, len(done.lines)), ("", 1), done)

    def test_bad_options(self):
        for options in (("--rate", "10"), ("--rate", "0/5"), ("--entitle", "everything"),
                        ("--account", "acme"), ("--grace", "-1"), ("--latency", "soon"),
                        ("--max-domains", "0"), ("--db", "/nowhere/at/all.db"), ("extra",)):
            with self.subTest(options):
                done = self.run_tshost("sandbox", *options)
                self.assertNotEqual(done.status, 0)
                self.assertEqual((done.out, len(done.lines)), ("", 1), done)

    def test_port_in_use(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            done = self.run_tshost("sandbox", "--listen", f"127.0.0.1:{port}")
        self.assertNotEqual(done.status, 0)
        self.assertIn("in use", done.err)

    def test_state_is_kept(self):
        for expected in (0, 1):
            with Sandbox("--db", str(self.home / "state.db")) as sandbox:
                self.assertEqual(len(sandbox.widgets()), expected)
                sandbox.create()
        script = self.script("local w = require 'turnstile'.widgets; print(#w.all()); "
                             "w.create { name = 'x', domains = { 'x.example' }, mode = 'managed' }")
        for expected in ("0\n", "1\n"):
            done = self.run_tshost("--sandbox=run.db", script)
            self.assertEqual((done.status, done.out), (0, expected), done)

    def test_a_sandbox_of_the_run_needs_no_account(self):
        done = self.lua("print(#widgets.all())", "--sandbox")
        self.assertEqual((done.status, done.out, done.err), (0, "0\n", ""))
        # And it never goes anywhere else.
        done = self.lua("print(#widgets.all())", "--sandbox", sandbox="http://127.0.0.1:1/")
        self.assertEqual((done.status, done.out), (0, "0\n"), done)

    def test_a_bad_state_file(self):
        (self.home / "state.db").write_text("this is no database, whatever its name may say\n" * 50)
        done = self.run_tshost("--sandbox=state.db", "-e", "print 'not here'")
        self.assertNotEqual(done.status, 0)
        self.assertEqual((done.out, len(done.lines)), ("", 1), done)


class Doctor(Case):
    def look(self, status, *options, **more):
        done = self.run_tshost("doctor", *options, **more)
        self.assert_status(done, status)
        self.assertEqual(done.err, "")
        return done.out

    def test_well(self):
        with Sandbox("--rate", "1200/300") as sandbox:
            out = self.look(0, sandbox=sandbox)
            self.assertNotIn("FAIL", out)
            for part in (sandbox.url, ACCOUNT, "CLOUDFLARE_API_TOKEN", "scripts", "rate budget"):
                self.assertIn(part, out)
            self.assertEqual({op for op, _ in sandbox.requests()}, {"verify", "list"})
        self.assertIn("widgets", self.look(0, "--sandbox"))

    def test_the_budget_of_the_runs(self):
        with Sandbox("--rate", "1200/300") as sandbox:
            out = self.look(0, "--rate", "100/60", "--reserve", "20%", sandbox=sandbox)
            self.assertRegex(out, r"rate budget  \d+ of 100 requests in 1 min left, besides 20 for")
        done = self.run_tshost("doctor", "--rate", "100")
        self.assert_status(done, 2)
        self.assertIn("--rate 100: N/SECONDS expected", done.err)

    def test_no_credentials(self):
        with Sandbox() as sandbox:
            out = self.look(8, sandbox=sandbox, environment={"CLOUDFLARE_API_TOKEN": None})
            self.assertIn("FAIL credentials", out)
            self.assertEqual(sandbox.requests(), [])
            out = self.look(8, "--token-file", "gone", sandbox=sandbox)
            self.assertIn("gone", out)

    def test_wrong_credentials(self):
        with Sandbox() as sandbox:
            environment = {"CLOUDFLARE_API_TOKEN": "another-token-not-a-secret"}
            out = self.look(8, sandbox=sandbox, environment=environment)
            self.assertIn("FAIL widgets", out)
            self.assertIn("Turnstile", out)
            self.assertNotIn("another-token", out)

    def test_no_account(self):
        with Sandbox() as sandbox:
            out = self.look(2, sandbox=sandbox, environment={"CLOUDFLARE_ACCOUNT_ID": None})
            self.assertIn("FAIL account", out)
            self.look(2, "--account", "acme", sandbox=sandbox)
            self.look(2, "--base-url", "ftp://127.0.0.1", sandbox=sandbox)

    def test_unreachable(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{closed.getsockname()[1]}/client/v4"
        self.assertIn("FAIL", self.look(9, sandbox=url))
        with Sandbox() as sandbox:
            sandbox.fault(op="any", kind="502", times=1000)
            self.look(9, sandbox=sandbox)

    def test_output_lost(self):
        with open("/dev/full", "wb") as full:
            done = self.run_tshost("doctor", "--sandbox", stdout=full)
        self.assertNotEqual(done.status, 0)


if __name__ == "__main__":
    unittest.main()
