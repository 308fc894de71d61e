# SPDX-License-Identifier: MIT
"""Where account and token come from, what is said when they are missing or refused, and that the
token is seen nowhere."""

import os
import unittest
from pathlib import Path

from host import ACCOUNT, TOKEN, Case, Sandbox

LIST = "print(#widgets.all())"


class Credentials(Case):
    @classmethod
    def setUpClass(cls):
        cls.sandbox = cls.enterClassContext(Sandbox())

    def setUp(self):
        super().setUp()
        self.before = len(self.sandbox.requests())

    def nothing_was_sent(self):
        self.assertEqual(len(self.sandbox.requests()), self.before)

    def lua_without_token(self, *options, **environment):
        environment = {"CLOUDFLARE_API_TOKEN": None, **environment}
        return self.lua(LIST, *options, sandbox=self.sandbox, environment=environment)

    def token_file(self, text=TOKEN, name="token"):
        path = self.home / name
        path.write_text(text)
        path.chmod(0o600)
        return path

    def test_no_token(self):
        done = self.lua_without_token()
        self.assert_status(done, 8)
        self.nothing_was_sent()
        self.assertEqual(len(done.lines), 1, done)
        self.assertIn("script.lua:1: ", done.err)
        self.assertIn("CLOUDFLARE_API_TOKEN", done.err)
        self.assert_status(self.lua_without_token(CLOUDFLARE_API_TOKEN=""), 8)
        self.assert_status(self.lua_without_token(CLOUDFLARE_API_TOKEN="a b\nc"), 8)
        self.nothing_was_sent()

    def test_no_token_is_no_matter_without_calls(self):
        done = self.run_tshost("-e", "print 'fine'")
        self.assertEqual((done.status, done.out), (0, "fine\n"))

    def test_no_token_cannot_be_talked_away(self):
        done = self.lua("pcall(widgets.all); os.exit(0)", sandbox=self.sandbox,
                        environment={"CLOUDFLARE_API_TOKEN": None})
        self.assert_status(done, 8)

    def test_token_files(self):
        done = self.lua_without_token("--token-file", self.token_file(f"  {TOKEN}\r\n"))
        self.assertEqual((done.status, done.out), (0, "0\n"), done)
        for path, part in (
            (self.home / "gone", "No such file"),
            (self.home, "Is a directory"),
            (self.token_file("", "empty"), "empty"),
            (self.token_file(" \n", "blank"), "blank"),
            (self.token_file("two\nlines", "lines"), "lines"),
        ):
            with self.subTest(path):
                done = self.lua_without_token("--token-file", path)
                self.assert_status(done, 8)
                self.assertIn(part, done.err)
                self.assertNotIn("two", done.err)
        if os.geteuid() != 0:
            closed = self.token_file(name="closed")
            closed.chmod(0)
            self.assert_status(self.lua_without_token("--token-file", closed), 8)

    def test_the_order_of_sources(self):
        """A file given by name, then systemd's directory, then the environment."""
        directory = self.home / "credentials"
        directory.mkdir()
        wrong = self.token_file("a-wrong-token", "wrong")
        good = self.token_file()
        self.token_file(TOKEN, "credentials/cloudflare_api_token")
        cases = (
            (("--token-file", good), {"CLOUDFLARE_API_TOKEN": "a-wrong-token"}, 0),
            (("--token-file", wrong), {"CLOUDFLARE_API_TOKEN": TOKEN}, 8),
            ((), {"CREDENTIALS_DIRECTORY": str(directory),
                  "CLOUDFLARE_API_TOKEN": "a-wrong-token"}, 0),
            ((), {"CREDENTIALS_DIRECTORY": str(self.home), "CLOUDFLARE_API_TOKEN": TOKEN}, 0),
            ((), {"CLOUDFLARE_EMAIL": "ops@acme.example", "CLOUDFLARE_API_KEY": TOKEN}, 0),
            ((), {"CLOUDFLARE_EMAIL": "ops@acme.example"}, 8),
        )
        for options, environment, status in cases:
            with self.subTest(environment):
                self.assert_status(self.lua_without_token(*options, **environment), status)

    def test_rejected_token(self):
        done = self.lua_without_token(CLOUDFLARE_API_TOKEN="another-token-not-a-secret")
        self.assert_status(done, 8)
        self.assertIn("list: HTTP 40", done.err)
        self.assertNotIn("another-token", done.err)

    def test_accounts(self):
        for account, part in (("acme", "\"acme\" is not an account id"), (None, "no account"),
                              ("", "no account"), (ACCOUNT[:-1], "is not an account id")):
            with self.subTest(account):
                done = self.lua(LIST, sandbox=self.sandbox,
                                environment={"CLOUDFLARE_ACCOUNT_ID": account})
                self.assert_status(done, 2)
                self.assertIn(part, done.err)
                self.assertIn("script.lua:1: ", done.err)
        done = self.lua(LIST, "--account", "../../user", sandbox=self.sandbox)
        self.assert_status(done, 2)
        self.nothing_was_sent()
        done = self.lua(LIST, "--account", ACCOUNT, sandbox=self.sandbox,
                        environment={"CLOUDFLARE_ACCOUNT_ID": "wrong"})
        self.assert_status(done, 0)

    def test_a_token_in_the_wrong_place_is_not_shown(self):
        token = "cfut_" + "made-up-" * 5
        for options, status, part in (
            (("--account", token), 2, "has 45 characters, but it has 32 hexadecimal ones"),
            (("--token-file", token), 8, "is it the token itself?"),
        ):
            with self.subTest(options[0]):
                done = self.lua(LIST, *options, sandbox=self.sandbox)
                self.assert_status(done, status)
                self.assertIn(part, done.err)
                self.assertNotIn("made-up", done.err)

    def test_base_urls(self):
        for url in ("127.0.0.1", "ftp://127.0.0.1/", "http://user:word@127.0.0.1/", "http://",
                    "file:///etc/passwd"):
            with self.subTest(url):
                done = self.lua(LIST, "--base-url", url, sandbox=self.sandbox)
                self.assert_status(done, 2)
                self.assertNotIn("word@", done.err)
        done = self.lua(LIST, "--base-url", self.sandbox.url + "/", sandbox="http://wrong.invalid")
        self.assert_status(done, 0)

    def test_the_token_is_not_in_the_process(self):
        """Neither argv nor the environment of a run tells a token that came from a file."""
        code = ("widgets.all(); for _, name in ipairs { 'cmdline', 'environ' } do "
                "print((io.open('/proc/self/' .. name):read('a'):gsub('%z', ' '))) end")
        done = self.lua(code, "--token-file", self.token_file(), sandbox=self.sandbox,
                        environment={"CLOUDFLARE_API_TOKEN": None})
        self.assertEqual(done.status, 0, done)
        self.assertIn("--token-file", done.out)
        self.assertNotIn(TOKEN, done.out)

    def test_verbose_tells_no_secret(self):
        code = ("local w = assert(widgets.create { name = 'acme', domains = { 'a.example' }, "
                "mode = 'managed' }); widgets.get(w.sitekey); print(w.secret, tostring(w.secret)); "
                "assert(w.secret:write 'kept'); for k, v in pairs(w) do print(k, v) end; "
                "print(require 'cjson'.encode(w)); "
                "widgets.create { name = 'x', domains = {}, mode = 'managed' }; error(w.secret)")
        done = self.lua(code, "--verbose", sandbox=self.sandbox)
        self.assert_status(done, 5)
        secret = Path(self.home, "kept").read_text().strip()
        self.assertGreater(len(secret), 30)
        self.assertNotIn(secret, done.out + done.err)
        self.assertIn("[secret]", done.out)

    def test_no_core_dumps(self):
        done = self.run_tshost("-e", "print((io.open('/proc/self/limits'):read('a')"
                               ":match('core file size%s+(%d+)%s+(%d+)')))")
        self.assertEqual(done.out, "0\n")


if __name__ == "__main__":
    unittest.main()
