# SPDX-License-Identifier: MIT
# One request and its answer as they crossed the wire, with credentials left out.
# Recorded by the proxy or made by the raw client; judged by schema.py.
import re
from dataclasses import dataclass, field

# Never kept: what stands here instead says only whether the value has the right shape.
CREDENTIALS = {
    "authorization": re.compile(r"Bearer [^\s\"']+"),
    "x-auth-email": re.compile(r"\S+@\S+"),
    "x-auth-key": re.compile(r"\S+"),
    "x-auth-user-service-key": re.compile(r"\S+"),
    "cookie": re.compile(r".*"),
    "proxy-authorization": re.compile(r".*"),
}


@dataclass(frozen=True)
class Exchange:
    """Header names are lower case. Bodies stay out of repr: they carry widget secrets."""

    method: str
    path: str
    query: str
    request_headers: dict
    request_body: bytes = field(repr=False)
    status: int
    answer_headers: dict
    answer_body: bytes = field(repr=False)

    def __str__(self):
        return f"{self.method} {self.path}{'?' if self.query else ''}{self.query} -> {self.status}"


def without_credentials(headers):
    """Copies (name, value) pairs into a dict by lower-case name, hiding credentials.

    A header that was sent twice is joined with ", ", as HTTP reads it."""
    kept = {}
    for name, value in headers:
        name = name.lower()
        shape = CREDENTIALS.get(name)
        if shape:
            scheme = "Bearer " if value.startswith("Bearer ") else ""
            value = scheme + "[hidden]" if shape.fullmatch(value) else "[malformed]"
        kept[name] = f"{kept[name]}, {value}" if name in kept else value
    return kept
