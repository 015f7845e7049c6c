"""The proxies of docs/deploying/: as they are configured there, but for ports, files and patience."""

from __future__ import annotations

import os
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.commands import free_port

DEPLOYING = Path(__file__).resolve().parents[1] / "docs" / "deploying"
HOST = "registry.example"
START_SECONDS = 20
# What a machine has around the file of nginx; Debian compresses too, unless it is told not to.
NGINX = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/errors.log;
events {{ }}
http {{
    gzip on;
    gzip_types *;
    gzip_min_length 1;
    gzip_proxied any;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/registry.conf;
}}
"""


@dataclass(frozen=True)
class Proxy:
    """Where it listens with and without TLS, whom its clients trust, and the folder with what it wrote."""

    name: str
    port: int
    plain_port: int
    trust: ssl.SSLContext
    folder: Path

    @property
    def written(self) -> str:
        """All its logs."""
        return "\n".join(file.read_text() for file in sorted(self.folder.glob("*.log")))


def replaced(file: str, changes: Mapping[str, str]) -> str:
    """The configuration with each of the changes made; one that finds nothing is a fault of the test."""
    text = (DEPLOYING / file).read_text()
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


@contextmanager
def proxy(name: str, folder: Path, service_port: int) -> Iterator[Proxy]:
    """Once it listens. Its patience is a second; Caddy's for content, which is the service's, four."""
    program = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None and "CI" not in os.environ:
        pytest.skip(f"{name} is not installed")
    trust = _make_certificate(folder)
    started = Proxy(name, free_port(), free_port(), trust, folder)
    arguments = {"nginx": _nginx, "caddy": _caddy}[name](started, service_port)
    environment = {**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    with (
        (folder / "output.log").open("wb") as output,
        subprocess.Popen(
            [str(program), *arguments], env=environment, stdout=output, stderr=output
        ) as process,
    ):
        try:
            _wait_until_ready(started, process)
            yield started
        finally:
            process.terminate()
            process.wait(20)


def _nginx(proxy: Proxy, service_port: int) -> list[str]:
    folder = proxy.folder
    changes = {
        "    listen [::]:80 default_server;\n": "",
        "    listen [::]:443 ssl http2 default_server;\n": "",
        "listen 80 ": f"listen 127.0.0.1:{proxy.plain_port} ",
        "listen 443 ": f"listen 127.0.0.1:{proxy.port} ",
        "127.0.0.1:8000;": f"127.0.0.1:{service_port};",
        "/etc/ssl/registry": str(folder),
        "/var/log/nginx": str(folder),
        "client_header_timeout 10s": "client_header_timeout 1s",
        "client_body_timeout 30s": "client_body_timeout 1s",
    }
    (folder / "registry.conf").write_text(replaced("nginx.conf", changes))
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "main.conf").write_text(NGINX.format(folder=folder, user=user))
    return ["-p", str(folder), "-c", str(folder / "main.conf"), "-e", str(folder / "errors.log")]


def _caddy(proxy: Proxy, service_port: int) -> list[str]:
    folder = proxy.folder
    ports = f"\tdefault_bind 127.0.0.1\n\thttp_port {proxy.plain_port}\n\thttps_port {proxy.port}\n"
    changes = {
        "\tadmin off\n": f"\tadmin off\n{ports}",
        "127.0.0.1:8000 {": f"127.0.0.1:{service_port} {{",
        "/etc/ssl/registry": str(folder),
        "/var/log/caddy": str(folder),
        "read_header 10s": "read_header 1s",
        "read_body 35s": "read_body 4s",
    }
    (folder / "Caddyfile").write_text(replaced("Caddyfile", changes))
    return ["run", "--config", str(folder / "Caddyfile"), "--adapter", "caddyfile"]


def _make_certificate(folder: Path) -> ssl.SSLContext:
    """Signed by itself, and trusted by nobody but who is given the answer."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(pem))
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "privkey.pem").write_bytes(private)
    return ssl.create_default_context(cafile=str(folder / "fullchain.pem"))


def _wait_until_ready(proxy: Proxy, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=1):
                return
        except OSError:
            time.sleep(0.02)
    raise AssertionError(f"{proxy.name} did not start:\n{proxy.written}")
