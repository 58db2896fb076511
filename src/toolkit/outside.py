"""HTTP requests to addresses that a person typed, or that such an address names, without reaching our own network.

https only, and only public Internet addresses, except for the hosts of `settings.INSIDE_HOSTS`. We check
the address to which we then connect, so that a name cannot resolve differently. No redirect is followed, no
proxy is taken from the environment, and the whole exchange ends at its deadline, however slow the server is.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

SECONDS = 5.0  # for one exchange, to the last byte; only the system's resolver cannot be interrupted
LARGEST = 128 * 1024  # bytes of an answer's body


_TRANSLATED = ip_network("64:ff9b::/96")  # NAT64: an IPv4 address in the last four bytes


class OutsideError(Exception):
    """`kind` says what is wrong: address, inside, unknown, silent, certificate, redirect, or size."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def check(address: str) -> str:
    """Return `address` if a program or a browser may be sent there. Raises OutsideError("address")."""
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise OutsideError("address") from None
    wanted = ("https", "http") if is_inside(host, port) else ("https",)
    if parts.scheme not in wanted or not host or "@" in parts.netloc or not _is_plain(address):
        raise OutsideError("address")
    return address


def _is_plain(address: str) -> bool:
    return address.isascii() and address.isprintable() and " " not in address and "\\" not in address


def is_inside(host: str, port: int | None) -> bool:
    """Whether the operator allows that internal host (`host` or `host:port`)."""
    return host in settings.INSIDE_HOSTS or f"{host}:{port}" in settings.INSIDE_HOSTS


def prepare(session: requests.Session) -> requests.Session:
    """Apply this module's rules to every request of `session`."""
    session.trust_env = False
    session.headers["Accept-Encoding"] = "identity"
    session.mount("https://", _Adapter())
    session.mount("http://", _Adapter())
    return session


def ask(
    method: str, address: str, *, session: requests.Session | None = None, **more: Any
) -> requests.Response:
    """One answer, whatever its status. Raises OutsideError. A given `session` must be `prepare`d."""
    with contextlib.ExitStack() as stack:
        if session is None:
            session = stack.enter_context(prepare(requests.Session()))
        return translated(lambda: session.request(method, address, **more))


def get(address: str, **more: Any) -> requests.Response:
    """`ask` by GET; try again after no answer or a 5xx one, if time remains."""
    begun = time.monotonic()
    try:
        answer = ask("GET", address, **more)
        if answer.status_code < 500:
            return answer
    except OutsideError as error:
        if error.kind != "silent" or time.monotonic() - begun > SECONDS / 2:
            raise
    return ask("GET", address, **more)


def translated(act: Callable[[], requests.Response]) -> requests.Response:
    """Translate exceptions of requests to OutsideError."""
    try:
        return act()
    except requests.exceptions.SSLError:
        raise OutsideError("certificate") from None
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema):
        raise OutsideError("address") from None
    except requests.RequestException:
        raise OutsideError("silent") from None


class _Adapter(HTTPAdapter):
    """Limits each exchange in time and size; connects to allowed addresses only."""

    def init_poolmanager(self, *args: Any, **more: Any) -> None:
        super().init_poolmanager(*args, **more)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _SecurePool}

    def send(self, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        check(request.url or "")
        more |= {"stream": True, "timeout": SECONDS, "proxies": {}}
        with _deadline() as is_over:
            try:
                answer = super().send(request, **more)
                body = answer.raw.read(LARGEST + 1, decode_content=False)
            except Exception as error:
                if isinstance(error, OutsideError | requests.RequestException) and not is_over():
                    raise
                raise OutsideError("silent") from None
        answer.close()
        if is_over():  # the answer may be incomplete
            raise OutsideError("silent")
        if len(body) > LARGEST:
            raise OutsideError("size")
        if 300 <= answer.status_code < 400:
            raise OutsideError("redirect")
        answer._content = body
        return answer


class _Current(threading.local):
    """The current exchange of this thread."""

    sockets: list[socket.socket]
    over: threading.Event
    end: float


_current = _Current()


@contextlib.contextmanager
def _deadline() -> Iterator[Callable[[], bool]]:
    """Close every connection that the block opens after `SECONDS`."""
    over = threading.Event()
    sockets: list[socket.socket] = []

    def hang_up() -> None:
        over.set()
        for one in list(sockets):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(SECONDS, hang_up)
    timer.daemon = True
    _current.sockets, _current.over, _current.end = sockets, over, time.monotonic() + SECONDS
    timer.start()
    try:
        yield over.is_set
    finally:
        timer.cancel()
        for one in sockets:
            one.close()


def _connect(connection: HTTPConnection) -> socket.socket:
    """A socket to a checked address. Raises OutsideError."""
    host, port = connection._dns_host, connection.port
    try:
        found = [str(info[4][0]) for info in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        raise OutsideError("unknown") from None
    if not is_inside(host, port) and not all(_is_public(one) for one in found):
        raise OutsideError("inside")
    for one in found[:3]:
        left = _current.end - time.monotonic()
        if left <= 0:
            break
        try:
            made = socket.create_connection((one, port), left)
        except OSError:
            continue
        _current.sockets.append(made.dup())  # TLS takes over the first one; both are the same connection
        if _current.over.is_set():  # the deadline may have closed the list already
            made.close()
            break
        return made
    raise OutsideError("silent")


def _is_public(address: str) -> bool:
    ip = ip_address(address.partition("%")[0])
    embedded = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    if ip in _TRANSLATED:
        embedded = IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.is_global and not ip.is_multicast and (embedded is None or embedded.is_global)


class _Plain(HTTPConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _Secure(HTTPSConnection):
    def _new_conn(self) -> socket.socket:
        return _connect(self)


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _Secure
