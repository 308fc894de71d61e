# SPDX-License-Identifier: MIT
# A recording reverse proxy on loopback: stands between a client and the sandbox, passes every
# request on unchanged and keeps what crossed it. Keeps connections to the client alive.
import http.client
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from exchange import Exchange, without_credentials

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "te", "trailer", "upgrade", "host"}
TIMEOUT_S = 30


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = TIMEOUT_S
    disable_nagle_algorithm = True

    def _pass_on(self):
        path, _, query = self.path.partition("?")
        if "Transfer-Encoding" in self.headers:
            raise NotImplementedError("a request without a length")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        upstream = http.client.HTTPConnection(*self.server.upstream, timeout=TIMEOUT_S)
        try:
            upstream.putrequest(self.command, self.path, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    upstream.putheader(name, value)
            upstream.endheaders(body)
            answer = upstream.getresponse()
            data = answer.read()
        finally:
            upstream.close()
        self.server.keep(
            Exchange(
                self.command,
                path,
                query,
                without_credentials(self.headers.items()),
                body,
                answer.status,
                without_credentials(answer.getheaders()),
                data,
            )
        )
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP | {"content-length"}:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = _pass_on

    def log_message(self, format, *args):
        pass


class RecordingProxy(ThreadingHTTPServer):
    """Use as a context manager. `url` is the base URL to give to the client."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, base_url):
        parts = urlsplit(base_url)
        super().__init__(("127.0.0.1", 0), Handler)
        self.upstream = (parts.hostname, parts.port)
        self.origin = f"http://127.0.0.1:{self.server_port}"
        self.url = self.origin + parts.path
        self._lock = threading.Lock()
        self._kept = []
        self._failures = []

    def keep(self, exchange):
        with self._lock:
            self._kept.append(exchange)

    def take(self):
        """What was recorded since the last call."""
        with self._lock:
            kept, self._kept = self._kept, []
            return kept

    def handle_error(self, request, client_address):
        """Runs in the handler's thread. A client may hang up; all else fails the test."""
        failure = sys.exc_info()[1]
        if not isinstance(failure, (BrokenPipeError, ConnectionResetError)):
            with self._lock:
                self._failures.append(repr(failure))

    def __enter__(self):
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05})
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self._thread.join()
        self.server_close()
        if self._failures:
            raise RuntimeError(f"the proxy could not pass on a request: {self._failures}")
