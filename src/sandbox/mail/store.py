"""The caught messages: one `.eml` file each, named by the time of arrival."""

import os
import secrets
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, MIMEPart
from email.utils import parsedate_to_datetime
from pathlib import Path

_TO = "X-Sandbox-To"
_FROM = "X-Sandbox-From"


@dataclass(frozen=True)
class Message:
    """One message, as a person reads it. `to` and `sender` are the envelope's."""

    id: str
    to: str
    sender: str
    subject: str
    date: datetime
    text: str
    html: str
    headers: tuple[tuple[str, str], ...]
    attachments: tuple[tuple[str, str, bytes], ...]  # name, type, content

    def as_json(self) -> dict[str, object]:
        """What `GET /messages.json` gives; several recipients are separated by ", "; the date is ISO 8601."""
        return {
            "id": self.id,
            "to": self.to,
            "from": self.sender,
            "subject": self.subject,
            "date": self.date.isoformat(),
            "text": self.text,
            "html": self.html,
            "headers": dict(self.headers),
            "attachments": [
                {"name": name, "type": kind, "size": len(content)} for name, kind, content in self.attachments
            ],
        }


class Store:
    """A folder of messages; safe from several threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self._parsed: dict[str, Message] = {}  # a message never changes
        self._lock = threading.Lock()

    def add(self, *, sender: str, recipients: list[str], content: bytes) -> str:
        """Keep a message, on disk before this returns; its id."""
        message_id = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        draft = self._folder / f"{message_id}.part"
        envelope = f"{_TO}: {', '.join(recipients)}\r\n{_FROM}: {sender}\r\n"
        with draft.open("wb") as file:
            file.write(envelope.encode("utf-8", "replace") + content)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self._folder / f"{message_id}.eml")
        return message_id

    def all(self) -> list[Message]:
        """Newest first."""
        names = sorted((path.stem for path in self._folder.glob("*.eml")), reverse=True)
        return [message for name in names if (message := self.get(name))]

    def get(self, message_id: str) -> Message | None:
        """One message, or None."""
        with self._lock:
            if message_id in self._parsed:
                return self._parsed[message_id]
        path = self._folder / f"{message_id}.eml"
        if path.parent != self._folder:
            return None
        try:
            message = _parse(message_id, path.read_bytes())
        except FileNotFoundError:
            return None
        with self._lock:
            self._parsed[message_id] = message
        return message

    def clear(self) -> None:
        """Forget every message."""
        with self._lock:
            for path in self._folder.glob("*.eml"):
                path.unlink(missing_ok=True)
            self._parsed.clear()


def _parse(message_id: str, raw: bytes) -> Message:
    mail = message_from_bytes(raw, policy=policy.default)
    received = datetime.fromtimestamp(int(message_id.split("-")[0]) / 1e9, UTC)
    return Message(
        id=message_id,
        to=str(mail[_TO] or ""),
        sender=str(mail["From"] or mail[_FROM] or ""),
        subject=str(mail["Subject"] or ""),
        date=_sent(mail, received),
        text=_body(mail, "plain"),
        html=_body(mail, "html"),
        headers=tuple((name, str(value)) for name, value in mail.items() if name not in (_TO, _FROM)),
        attachments=tuple(
            (part.get_filename() or "sans-nom", part.get_content_type(), _content(part))
            for part in mail.iter_attachments()
        ),
    )


def _sent(mail: EmailMessage, received: datetime) -> datetime:
    try:
        sent = parsedate_to_datetime(str(mail["Date"]))
    except (TypeError, ValueError):
        return received
    return sent.astimezone(UTC) if sent.tzinfo else received


def _body(mail: EmailMessage, kind: str) -> str:
    part = mail.get_body(preferencelist=(kind,))
    if part is None:
        return ""
    try:
        return str(part.get_content())
    except (LookupError, ValueError):  # an unknown character set: show what can be shown
        return _content(part).decode("utf-8", "replace")


def _content(part: MIMEPart) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""
