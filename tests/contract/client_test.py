# SPDX-License-Identifier: MIT
# tshost scripts against the sandbox through the recording proxy: every request that the client
# sends must hold against the published document, and so must the answers that it gets.
import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path
from urllib.parse import parse_qs

import schema
from proxy import RecordingProxy
from serve import ACCOUNT, TOKEN, Sandbox, tshost
from wire import WIDGETS

HERE = Path(__file__).resolve().parent
ENTITLED = ("--entitle", "any-hostname,bot_fight_mode,ephemeral_id,offlabel")
ALLOWED = ("--allow", "delete,rotate,any-hostname")

# Everything that the client may say about itself and its request. A header that is not here is
# news: it may tell more than it should, or change what the server does.
HEADERS = {"host", "user-agent", "accept", "accept-encoding", "authorization", "content-type"}
HEADERS |= {"content-length", "connection"}
MUTABLE = {"name", "domains", "mode", "clearance_level", "bot_fight_mode", "ephemeral_id"}
MUTABLE |= {"offlabel"}


class ClientCase(unittest.TestCase):
    """Each class runs one script once, and its tests look at what was recorded."""

    @classmethod
    def run_script(cls, *arguments, code=None, environment=None, options=(), command=()):
        """Runs tshost behind a proxy; returns the process and the exchanges."""
        with tempfile.TemporaryDirectory() as home, Sandbox(*ENTITLED) as sandbox:
            token = Path(home, "token")
            token.write_text(TOKEN + "\n")
            token.chmod(0o600)
            clean = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
            clean.update({"HOME": home, "XDG_STATE_HOME": home, **(environment or {})})
            with RecordingProxy(sandbox.url) as proxy:
                line = [tshost(), *command, "--base-url", proxy.url, "--account", ACCOUNT]
                if environment is None:
                    line += ["--token-file", str(token)]
                line += [*options, *(("-e", code) if code else map(str, arguments))]
                done = subprocess.run(
                    line,
                    cwd=home,
                    env=clean,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    text=True,
                    timeout=120,
                )
                return done, proxy.take()

    def judge(self, exchange):
        """Problems of an exchange by whichever document knows its path."""
        for contract in (schema.published(), schema.documented()):
            if contract.operation_of(exchange):
                return contract.problems(exchange)
        return [f"{exchange.method} {exchange.path} is no operation"]


class Endpoints(ClientCase):
    @classmethod
    def setUpClass(cls):
        script = HERE / "client" / "endpoints.lua"
        cls.done, cls.exchanges = cls.run_script(script, options=ALLOWED)
        cls.published = schema.published()

    def bodies(self, method, pattern):
        return [
            json.loads(exchange.request_body)
            for exchange in self.exchanges
            if exchange.method == method and re.fullmatch(pattern, exchange.path)
        ]

    def test_the_script_ran_to_its_end(self):
        self.assertEqual((self.done.returncode, self.done.stdout), (0, "done\n"), self.done.stderr)

    def test_every_exchange_holds(self):
        self.assertGreater(len(self.exchanges), 130)
        for exchange in self.exchanges:
            with self.subTest(str(exchange)):
                self.assertEqual(self.judge(exchange), [])

    def test_every_endpoint_was_used(self):
        used = {
            operation.pointer
            for operation in map(self.published.operation_of, self.exchanges)
            if operation
        }
        self.assertEqual(used, {operation.pointer for operation in self.published.operations})
        paths = {exchange.path for exchange in self.exchanges}
        self.assertIn("/turnstile/v0/siteverify", paths)

    def test_headers(self):
        for exchange in self.exchanges:
            headers = exchange.request_headers
            with self.subTest(str(exchange)):
                self.assertLessEqual(set(headers), HEADERS)
                self.assertRegex(headers["user-agent"], r"^tshost/\d+\.\d+\.\d+$")
                self.assertEqual(headers["accept"], "application/json")
                if exchange.path == "/turnstile/v0/siteverify":
                    self.assertNotIn("authorization", headers)
                else:
                    self.assertEqual(headers["authorization"], "Bearer [hidden]")
                    kind = "application/json" if exchange.request_body else None
                    self.assertEqual(headers.get("content-type"), kind)
                if exchange.request_body:
                    length = str(len(exchange.request_body))
                    self.assertEqual(headers["content-length"], length)

    def test_no_credential_was_kept(self):
        for exchange in self.exchanges:
            self.assertNotIn(TOKEN, json.dumps(exchange.request_headers))

    def test_only_lists_have_a_query(self):
        for exchange in self.exchanges:
            if exchange.query:
                self.assertEqual((exchange.method, exchange.path), ("GET", WIDGETS))

    def test_lists_ask_for_large_pages_in_a_fixed_order(self):
        queries = [
            parse_qs(exchange.query, strict_parsing=True)
            for exchange in self.exchanges
            if (exchange.method, exchange.path) == ("GET", WIDGETS)
        ]
        for query in queries:
            # Without an order, pages may overlap.
            self.assertIn("order", query)
            self.assertIn("direction", query)
        self.assertEqual({query["per_page"][0] for query in queries}, {"1000", "20", "5"})
        fives = [query["page"][0] for query in queries if query["per_page"] == ["5"]]
        self.assertEqual(fives, [str(page) for page in range(1, 10)])

    def test_creates_send_what_was_said_and_nothing_else(self):
        made, full, anywhere = self.bodies("POST", WIDGETS)[:3]
        self.assertEqual(set(made), {"name", "domains", "mode"})
        self.assertEqual(made["domains"], ["acme.example", "b.acme.example"])
        self.assertIn("caf\u00e9 \u6771\u4eac", made["name"])
        self.assertEqual(set(full), MUTABLE | {"region"})
        self.assertEqual((anywhere["domains"], anywhere["mode"]), ([], "invisible"))

    def test_updates_send_the_whole_widget_and_nothing_fixed(self):
        """A field that is left out may be reset, and a fixed one is refused by the service."""
        bodies = self.bodies("PUT", WIDGETS + r"/[\w-]+")
        self.assertEqual(len(bodies), 46)
        for body in bodies:
            self.assertEqual(set(body), MUTABLE)
        changed = [body for body in bodies if body["name"] == "any host"]
        self.assertEqual([body["domains"] for body in changed], [[]])

    def test_rotations_say_which_way(self):
        bodies = self.bodies("POST", WIDGETS + r"/[\w-]+/rotate_secret")
        self.assertEqual(bodies[0], {"invalidate_immediately": True})
        self.assertEqual(bodies[1], {"invalidate_immediately": False})
        self.assertEqual(bodies[2], {"invalidate_immediately": False})


class StockScripts(ClientCase):
    def test_onboarding(self):
        scripts = HERE.parents[1] / "scripts"
        tenants = scripts / "examples" / "tenants.csv"
        done, exchanges = self.run_script(
            scripts / "onboard.lua", tenants, "--secrets-dir", "secrets"
        )
        self.assertEqual(done.returncode, 0, done.stderr)
        methods = [exchange.method for exchange in exchanges]
        tenant_count = len(tenants.read_text(encoding="utf-8").splitlines()) - 1
        self.assertEqual(methods, ["GET"] + ["POST"] * tenant_count)
        for exchange in exchanges:
            with self.subTest(str(exchange)):
                self.assertEqual(self.judge(exchange), [])


class Doctor(ClientCase):
    def test_it_asks_what_the_token_is_and_can_do(self):
        done, exchanges = self.run_script(command=["doctor"])
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn(TOKEN, done.stdout + done.stderr)
        paths = [exchange.path for exchange in exchanges]
        self.assertEqual(paths, ["/client/v4/user/tokens/verify", WIDGETS])
        self.assertEqual([self.judge(exchange) for exchange in exchanges], [[], []])


class Credentials(ClientCase):
    CODE = 'print(#require("turnstile").widgets.all())'

    def test_the_environment_token(self):
        done, exchanges = self.run_script(
            code=self.CODE, environment={"CLOUDFLARE_API_TOKEN": f" {TOKEN}\n"}
        )
        self.assertEqual((done.returncode, done.stdout), (0, "0\n"), done.stderr)
        self.assertEqual(exchanges[0].request_headers["authorization"], "Bearer [hidden]")
        self.assertEqual([self.judge(exchange) for exchange in exchanges], [[]])

    def test_the_global_key(self):
        key = {"CLOUDFLARE_EMAIL": "ops@acme.example", "CLOUDFLARE_API_KEY": TOKEN}
        done, exchanges = self.run_script(code=self.CODE, environment=key)
        self.assertEqual((done.returncode, done.stdout), (0, "0\n"), done.stderr)
        headers = exchanges[0].request_headers
        self.assertNotIn("authorization", headers)
        self.assertEqual((headers["x-auth-email"], headers["x-auth-key"]), ("[hidden]",) * 2)
        self.assertEqual([self.judge(exchange) for exchange in exchanges], [[]])


if __name__ == "__main__":
    unittest.main()
