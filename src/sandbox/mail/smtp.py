"""The SMTP server, and modes that make it fail as real servers do."""

import asyncio
import socket

from aiosmtpd.smtp import SMTP, Envelope, Session

from sandbox.mail.store import Store

MODES = {
    "ok": "accepte et garde chaque message",
    "refuse": "refuse chaque destinataire pour toujours (550)",
    "later": "demande de réessayer plus tard (451)",
    "full": "refuse chaque message une fois lu (552)",
    "drop": "coupe la connexion à la place d'une réponse",
    "hang": "prend le message et ne répond jamais",
    "down": "n'écoute plus: la connexion est refusée",
}


class Catcher:
    """Stores every message, unless `mode` says otherwise. All methods run in the server's event loop."""

    def __init__(self, store: Store, port: int) -> None:
        self.mode = "ok"
        self._store = store
        self._port = port
        self._server: asyncio.Server | None = None

    async def set_mode(self, mode: str) -> None:
        """One of MODES."""
        self.mode = mode
        if mode == "down":
            await self.stop()
        else:
            await self.start()

    async def start(self) -> None:
        """Start to listen, unless it does already."""
        if self._server is None:
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(
                lambda: SMTP(
                    self, hostname="sandbox", enable_SMTPUTF8=True, data_size_limit=50 * 1024 * 1024
                ),
                host="127.0.0.1",
                port=self._port,
                family=socket.AF_INET,
                reuse_address=True,
            )

    async def stop(self) -> None:
        """Stop listening; open connections go on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    # aiosmtpd calls these by name.

    async def handle_RCPT(
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Accept a recipient."""
        if self.mode == "refuse":
            return "550 5.1.1 Unknown mailbox (sandbox mode: refuse)"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:
        """Keep a message: it is on disk before the sender hears 250."""
        if self.mode == "later":
            return "451 4.3.2 Try again later (sandbox mode: later)"
        if self.mode == "full":
            return "552 5.2.2 Mailbox full (sandbox mode: full)"
        if self.mode == "drop":
            assert _server.transport is not None
            _server.transport.abort()
            return "421 4.3.2 Closing (sandbox mode: drop)"
        if self.mode in ("hang", "down"):
            await asyncio.sleep(3600)
        message_id = await asyncio.to_thread(
            self._store.add,
            sender=envelope.mail_from or "",
            recipients=list(envelope.rcpt_tos),
            content=envelope.original_content or b"",
        )
        return f"250 2.0.0 OK {message_id}"
