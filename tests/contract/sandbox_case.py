# SPDX-License-Identifier: MIT
# What the tests of the sandbox share: a sandbox per class, a connection per test, and verdicts on
# each answer.
import json
import unittest

import schema
from serve import Sandbox
from wire import WIDGETS, Wire

WIDGET = {"name": "acme login", "domains": ["acme.example"], "mode": "managed"}


class SandboxCase(unittest.TestCase):
    OPTIONS = ()
    reached = set()  # (operation, status) of every answer that was judged, over all classes

    @classmethod
    def setUpClass(cls):
        cls.contract = schema.published()
        cls.sandbox = cls.enterClassContext(Sandbox(*cls.OPTIONS))

    def setUp(self):
        self.wire = self.enterContext(Wire(self.sandbox.origin))

    def judge(self, exchange):
        self.assertEqual(self.contract.answer_problems(exchange), [], exchange)
        operation = self.contract.operation_of(exchange)
        if operation:
            self.reached.add((operation.node["operationId"], exchange.status))
        self.assertRegex(exchange.answer_headers["cf-ray"], r"^[0-9a-f]{16}-[A-Z]{3}$")
        return json.loads(exchange.answer_body)

    def ok(self, method, target, body=None, **options):
        """The envelope of a success; the request must hold as well."""
        exchange = self.wire.send(method, target, body, **options)
        self.assertEqual(exchange.status, 200, exchange.answer_body)
        self.assertEqual(self.contract.request_problems(exchange), [])
        return self.judge(exchange)

    def result(self, method, target, body=None):
        return self.ok(method, target, body)["result"]

    def refused(self, status, code, method, target, body=None, is_declared=True, **options):
        """The first error. `is_declared`: whether the document lets the request pass."""
        exchange = self.wire.send(method, target, body, **options)
        errors = self.judge(exchange)["errors"]
        self.assertEqual((exchange.status, [e["code"] for e in errors[:1]]), (status, [code]))
        problems = self.contract.request_problems(exchange)
        self.assertEqual(problems == [], is_declared, problems)
        self.refusal = exchange
        return errors

    def control(self, route, body):
        """One of the sandbox's own switches, outside the API and its contract."""
        exchange = self.wire.send("POST", f"/sandbox/{route}", body, headers={})
        self.assertEqual(exchange.status, 200, exchange.answer_body)
        return json.loads(exchange.answer_body)["result"]

    def create(self, **more):
        return self.result("POST", WIDGETS, {**WIDGET, **more})


def assert_reached(*statuses):
    """For tearDownModule: every operation was answered with each status."""
    for operation in schema.published().operations:
        for status in statuses:
            name = operation.node["operationId"]
            if (name, status) not in SandboxCase.reached:
                raise AssertionError(f"no test saw {name} answer {status}")
