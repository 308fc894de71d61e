# SPDX-License-Identifier: MIT
# A raw HTTP client that sends exactly what a test says, right or wrong, and gives the exchange
# back. It never retries, follows nothing and adds no header of its own but Host and the length.
import http.client
import json
from urllib.parse import urlsplit

from exchange import Exchange, without_credentials
from serve import ACCOUNT, TOKEN

BEARER = {"Authorization": f"Bearer {TOKEN}"}
WIDGETS = f"/client/v4/accounts/{ACCOUNT}/challenges/widgets"


class Wire:
    """One keep-alive connection to an origin. Use as a context manager."""

    def __init__(self, origin):
        parts = urlsplit(origin)
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=30)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()

    def send(self, method, target, body=None, headers=BEARER, kind="application/json"):
        """`body`: bytes go as they are, anything else as JSON. `kind`: None leaves it out."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        headers = dict(headers)
        if data is not None:
            headers["Content-Length"] = str(len(data))
            if kind:
                headers["Content-Type"] = kind
        self._connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers.items():
            self._connection.putheader(name, value)
        self._connection.endheaders(data)
        answer = self._connection.getresponse()
        answer_body = answer.read()
        path, _, query = target.partition("?")
        return Exchange(
            method,
            path,
            query,
            without_credentials(headers.items()),
            data or b"",
            answer.status,
            without_credentials(answer.getheaders()),
            answer_body,
        )
