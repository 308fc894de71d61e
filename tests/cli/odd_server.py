# SPDX-License-Identifier: MIT
"""A server that answers what a test has laid down, and runs against it."""

import http.server
import json
import threading

from host import Case

NO_WIDGET = "0x4AAAAAAAAAAAAAAAAAAAAA"


class Odd(http.server.BaseHTTPRequestHandler):
    """Answers with what the test has laid down: a list of (status, headers, body)."""

    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length", 0))
        self.server.seen.append((self.command, self.path, self.rfile.read(length)))
        status, headers, body = self.server.answers.pop(0)
        body = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        pass


def envelope(result, **more):
    return {"success": True, "errors": [], "messages": [], "result": result, **more}


def widget(**more):
    return {"sitekey": NO_WIDGET, "name": "acme", "domains": ["a.example"], "mode": "managed",
            "secret": "0x4AAA-made-up", "created_on": "2026-01-01T00:00:00Z", **more}


class OddCase(Case):
    """Scripts against answers that no sandbox gives."""

    def setUp(self):
        super().setUp()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Odd)
        self.server.daemon_threads = True
        self.server.answers = []
        self.server.seen = []
        thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(self.server.server_close)
        self.addCleanup(self.server.shutdown)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/client/v4"

    def after(self, answers, code, status, *options):
        """Runs the code against these answers, which must all be asked for."""
        self.server.seen.clear()
        self.server.answers[:] = [
            answer if isinstance(answer, tuple) else (200, {}, answer) for answer in answers]
        done = self.lua(code, "--max-wait", "0", *options, sandbox=self.url)
        self.assert_status(done, status)
        self.assertEqual(self.server.answers, [])
        return done
