# SPDX-License-Identifier: MIT
"""nginx on loopback as the API: answers of realistic size, straight from its memory."""

import getpass
import json
import os
import shutil
import signal
import socket
import subprocess
import time

ACCOUNT = "0123456789abcdef0123456789abcdef"
PATH = f"/client/v4/accounts/{ACCOUNT}/challenges/widgets"
PAGE = 1000
DOMAINS = ["acme.example", "login.acme.example", "shop.acme.example"]


def sitekey(number):
    return f"0x4{number:021d}"


def widget(key, name, domains):
    return {
        "sitekey": key,
        "name": name,
        "domains": domains,
        "mode": "managed",
        "region": "world",
        "clearance_level": "no_clearance",
        "bot_fight_mode": False,
        "ephemeral_id": False,
        "offlabel": False,
        "deployed_via": "api",
        "last_modified_via": "api",
        "created_on": "2026-01-02T03:04:05.123456Z",
        "modified_on": "2026-01-02T03:04:05.123456Z",
    }


def envelope(result, **more):
    body = {"result": result, "success": True, "errors": [], "messages": [], **more}
    return json.dumps(body, separators=(",", ":"))


def page(number, count):
    """A page of a fleet of count widgets, as the service would send it."""
    first = (number - 1) * PAGE
    last = min(first + PAGE, count)
    rows = [widget(sitekey(i), f"acme {i:07d}", DOMAINS) for i in range(first, last)]
    info = {"page": number, "per_page": PAGE, "count": len(rows), "total_count": count,
            "total_pages": -(-count // PAGE)}
    return envelope(rows, result_info=info)


def one(key, domains=None):
    secret = {"secret": key + "-not-a-secret"}
    return envelope({**widget(key, "acme login", domains or DOMAINS), **secret})


def update_body():
    """What an update of one widget sends: the same for tshost and for all others."""
    return json.dumps({
        "name": "acme login", "mode": "managed", "domains": [*DOMAINS, "new.acme.example"],
        "clearance_level": "no_clearance", "bot_fight_mode": False, "ephemeral_id": False,
        "offlabel": False,
    }, separators=(",", ":"))


def create_body():
    return json.dumps({"name": "acme login 000001", "mode": "managed", "domains": DOMAINS},
                      separators=(",", ":"))


CONFIGURATION = """\
{user}
worker_processes 2;
daemon off;
pid nginx.pid;
error_log error.log crit;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  default_type application/json;
  sendfile on;
  tcp_nodelay on;
  keepalive_requests 100000000;
  keepalive_timeout 600s;
  open_file_cache max=4096 inactive=600s;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  add_header CF-Ray 8a1b2c3d4e5f6a7b-AMS;
  map $arg_page $page {{ default $arg_page; "" 1; }}
  server {{
    listen 127.0.0.1:{plain};
    listen 127.0.0.1:{tls} ssl http2;
    ssl_certificate server.pem;
    ssl_certificate_key server.key;
    ssl_protocols TLSv1.2 TLSv1.3;
    ssl_session_cache shared:sessions:1m;
    http2_max_concurrent_streams 256;
    location = {path} {{
      root pages;
      if ($request_method = POST) {{ return 200 '{created}'; }}
      try_files /page-$page.json /end.json =404;
    }}
    location ~ ^{path}/(?<key>[0-9A-Za-z_-]+)$ {{
      if ($request_method = PUT) {{ return 200 '{changed}'; }}
      return 200 '{read}';
    }}
  }}
}}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def certificates(directory):
    """An authority that nobody else knows, and a server for 127.0.0.1 and localhost that it vouches for."""
    def make(name, subject, extension, *more):
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                   "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", subject,
                   "-addext", extension, "-keyout", f"{name}.key", "-out", f"{name}.pem", *more]
        subprocess.run(command, cwd=directory, check=True, capture_output=True, timeout=60)

    make("authority", "/CN=made-up authority", "basicConstraints=critical,CA:TRUE")
    make("server", "/CN=made-up server", "subjectAltName=IP:127.0.0.1,DNS:localhost",
         "-CA", "authority.pem", "-CAkey", "authority.key")


class Web:
    """The server and where it listens. Use as a context manager."""

    def __init__(self, directory, fleet=10000):
        self.directory = directory
        shutil.rmtree(directory, ignore_errors=True)
        (directory / "pages").mkdir(parents=True)
        for number in range(1, -(-fleet // PAGE) + 1):
            (directory / "pages" / f"page-{number}.json").write_text(page(number, fleet))
        (directory / "pages" / "end.json").write_text(page(-(-fleet // PAGE) + 1, fleet))
        certificates(directory)
        self.authority = str(directory / "authority.pem")
        self.plain_port, self.tls_port = free_port(), free_port()
        self.plain = f"http://127.0.0.1:{self.plain_port}/client/v4"
        self.tls = f"https://127.0.0.1:{self.tls_port}/client/v4"
        changed = one("$key", [*DOMAINS, "new.acme.example"])
        text = CONFIGURATION.format(
            user=f"user {getpass.getuser()};" if os.getuid() == 0 else "",
            plain=self.plain_port, tls=self.tls_port, path=PATH,
            created=one(sitekey(1)), changed=changed, read=one("$key"))
        (directory / "nginx.conf").write_text(text)

    def __enter__(self):
        program = shutil.which("nginx") or "/usr/sbin/nginx"
        self.process = subprocess.Popen(
            [program, "-p", str(self.directory) + "/", "-c", "nginx.conf", "-e", "error.log"],
            stdin=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.plain_port)) == 0:
                    return self
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        self.__exit__()
        raise RuntimeError(f"nginx did not start; see {self.directory}/error.log")

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
