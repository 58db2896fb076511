"""The server on PORT: sends each request to the portal, the mail page or the PayFiP simulator, by its Host.

`python -m sandbox.front PORT BASE_DOMAIN`.

One request per connection: the request is passed on with ``Connection: close``, so the backend closes after its
answer, and nothing that the client sends later on that connection is read as a request. A second request,
perhaps for another host, comes on a new connection and goes where *its* Host says. (Keep-alive would need
us to read every body's length exactly as the backend does; a new loopback connection costs little.)

It uses plain sockets instead of asyncio's streams, because a backend may answer and close before it has read a whole
upload: a stream would drop that answer with the first write that fails.
"""

import asyncio
import contextlib
import re
import socket
import sys

from sandbox.home import Ports

_HEAD_LIMIT = 64 * 1024
_HEAD_SECONDS = 30
_PIECE = 256 * 1024
_LINGER_SECONDS = 60
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
# Headers that the client may not set: who it is (we are the first proxy), and how the connection is used.
_DROPPED = {
    *(b"connection", b"keep-alive", b"proxy-connection", b"upgrade", b"http2-settings"),
    *(b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip"),
}

_UNAVAILABLE = """<!doctype html><html lang=fr><meta charset=utf-8>
<meta name=viewport content="width=device-width"><meta http-equiv=refresh content=3><title>Un instant</title>
<style>:root{color-scheme:light dark}body{font:18px/1.5 system-ui,sans-serif;max-width:36rem;margin:15vh auto;
padding:0 16px}</style>
<h1>Un instant, s'il vous plaît</h1>
<p>Cette partie du bac à sable démarre ou s'est arrêtée. La page se recharge toute seule; si rien ne change,
regardez le terminal où tourne « make demo ».</p></html>"""


class BadRequest(Exception):
    """The head is malformed; the message says why."""


def choose_backend(host: str, base: str, ports: Ports) -> int:
    """The port of the backend for a Host header (case and port ignored)."""
    name = host.rsplit(":", 1)[0] if host.rpartition(":")[2].isdigit() else host
    name = name.lower().rstrip(".")
    return {f"mail.{base}": ports["mail"], f"payfip.{base}": ports["payfip"]}.get(name, ports["web"])


def rewrite_head(head: bytes, client: str) -> tuple[str, bytes]:
    """The Host, and the head to send on. Raises BadRequest when two programs could read the head differently."""
    request_line, *lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    words = request_line.split(b" ")
    if len(words) != 3 or words[2] not in (b"HTTP/1.1", b"HTTP/1.0"):
        raise BadRequest("request line")
    if not words[1].startswith(b"/") and words[1] != b"*":
        raise BadRequest("the target must be a path")
    hosts: list[bytes] = []
    kept = [request_line]
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not _TOKEN.fullmatch(name) or b"\n" in line or b"\r" in line or b"\0" in line:
            raise BadRequest("header line")
        if name.lower() == b"host":
            hosts.append(value.strip())
        if name.lower() not in _DROPPED:
            kept.append(line)
    if len(hosts) != 1:
        raise BadRequest("exactly one Host")
    kept += [b"X-Forwarded-For: " + client.encode(), b"Connection: close"]
    return hosts[0].decode("latin-1"), b"\r\n".join(kept) + b"\r\n\r\n"


class Front:
    """The server."""

    def __init__(self, ports: Ports, base: str) -> None:
        self._ports = ports
        self._base = base.lower()
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, port: int) -> None:
        """Accept connections for ever."""
        loop = asyncio.get_running_loop()
        with socket.create_server(("127.0.0.1", port), backlog=512, reuse_port=False) as listener:
            listener.setblocking(False)
            while True:
                client, address = await loop.sock_accept(listener)
                task = asyncio.create_task(self._handle(client, address[0]))
                self._tasks.add(task)  # keep a reference, or it may be garbage-collected
                task.add_done_callback(self._tasks.discard)

    async def _handle(self, client: socket.socket, address: str) -> None:
        client.setblocking(False)
        with client, contextlib.suppress(OSError, asyncio.TimeoutError):
            received = await asyncio.wait_for(_read_head(client), _HEAD_SECONDS)
            if received is None:
                return
            head, rest = received
            try:
                host, head = rewrite_head(head, address)
            except BadRequest as error:
                await _answer(client, "400 Bad Request", f"400: {error}")
                return
            port = choose_backend(host, self._base, self._ports)
            backend = socket.socket()
            backend.setblocking(False)
            with backend:
                try:
                    await asyncio.get_running_loop().sock_connect(backend, ("127.0.0.1", port))
                except OSError:
                    await _answer(client, "502 Bad Gateway", _UNAVAILABLE)
                    return
                backend.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                await self._exchange(client, backend, head + rest)

    async def _exchange(self, client: socket.socket, backend: socket.socket, start: bytes) -> None:
        upload = asyncio.create_task(_send_up(client, backend, start))
        try:
            answered = await _send_down(backend, client)
        finally:
            upload.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await upload
        if not answered:
            await _answer(client, "502 Bad Gateway", _UNAVAILABLE)
        else:
            await _linger(client)


async def _read_head(client: socket.socket) -> tuple[bytes, bytes] | None:
    """The head, and the bytes after it; None when the client left or the head is too long."""
    loop = asyncio.get_running_loop()
    data = b""
    while b"\r\n\r\n" not in data:
        if len(data) > _HEAD_LIMIT:
            await _answer(client, "431 Request Header Fields Too Large", "431")
            return None
        piece = await loop.sock_recv(client, 16 * 1024)
        if not piece:
            return None
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head + b"\r\n\r\n", rest


async def _send_up(client: socket.socket, backend: socket.socket, start: bytes) -> None:
    """Copy the request piece by piece, without keeping a large upload in memory."""
    loop = asyncio.get_running_loop()
    with contextlib.suppress(OSError):  # the backend reads no more; `_send_down` reads its answer
        await loop.sock_sendall(backend, start)
        while piece := await loop.sock_recv(client, _PIECE):
            await loop.sock_sendall(backend, piece)
        backend.shutdown(socket.SHUT_WR)


async def _send_down(backend: socket.socket, client: socket.socket) -> bool:
    """Copy the answer piece by piece; return whether there was one."""
    loop = asyncio.get_running_loop()
    answered = False
    try:
        while piece := await loop.sock_recv(backend, _PIECE):
            await loop.sock_sendall(client, piece)
            answered = True
    except ConnectionResetError:
        pass
    return answered


async def _answer(client: socket.socket, status: str, page: str) -> None:
    body = page.encode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nConnection: close\r\n\r\n"
    )
    await asyncio.get_running_loop().sock_sendall(client, head.encode() + body)
    await _linger(client)


async def _linger(client: socket.socket) -> None:
    """Let the client finish sending: closing with unread data (RST) would destroy the answer."""
    loop = asyncio.get_running_loop()
    client.shutdown(socket.SHUT_WR)
    with contextlib.suppress(asyncio.TimeoutError):
        async with asyncio.timeout(_LINGER_SECONDS):
            while await loop.sock_recv(client, _PIECE):
                pass


def main() -> None:
    """Run until a signal."""
    port, base = int(sys.argv[1]), sys.argv[2]
    try:
        asyncio.run(Front(Ports(port), base).serve(port))
    except KeyboardInterrupt:
        pass
    except OSError as error:
        sys.exit(f"front: {error}")


if __name__ == "__main__":
    main()
