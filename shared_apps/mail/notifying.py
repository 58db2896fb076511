"""Send a message to somebody: the only way to the outbox (a test looks for others)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils import translation

from shared_apps.mail import notices, unsubscribing
from shared_apps.mail.content import Sender
from shared_apps.mail.models import OutgoingMail
from shared_apps.mail.notices import Said
from shared_apps.mail.services import compose, queue, queue_all

# `townhall` and `address`: the town that writes, and the address of its portal.
Letterhead = Mapping[str, Any]
_letterhead: list[Callable[[], Letterhead]] = []


@dataclass(frozen=True)
class Telling:
    """One message to one address: what, in which language, and the parts of its key (`Notice.key`)."""

    said: Said[Any]
    to: str
    language: str
    once: Mapping[str, object] = field(default_factory=dict)
    reply_to: str = ""
    refusable: tuple[str, ...] = ()  # which of the kind's choices the message is about; empty: all


def write_under(letterhead: Callable[[], Letterhead]) -> None:
    """Register the function that returns the current town's `Letterhead`. A higher room calls it."""
    _letterhead[:] = [letterhead]


def notify(
    said: Said[Any],
    *,
    to: str,
    language: str,
    once: Mapping[str, object] | None = None,
    reply_to: str = "",
) -> OutgoingMail | None:
    """Write one message to the outbox, in the caller's transaction; the worker sends it after the commit.

    `once`: the parts of the kind's key. When the key exists already, nothing is written and None is returned. Raises
    emails.BadAddress.
    """
    return queue(_compose(Telling(said, to, language, once or {}, reply_to), _letterhead[0]()))


def notify_all(tellings: Iterable[Telling]) -> int:
    """Write many messages in one SQL statement. Skip those whose key exists. Returns how many were given."""
    letterhead = _letterhead[0]()
    mails = [_compose(telling, letterhead) for telling in tellings]
    if mails:
        queue_all(mails)
    return len(mails)


def example(said: Said[Any]) -> OutgoingMail:
    """The message that a reader of the current language would get from the town. It is neither stored nor sent."""
    letterhead = _letterhead[0]()
    sender = Sender(letterhead["townhall"].name, letterhead["address"])
    content = said.write(sender)
    if said.notice.unsubscribe:
        content = replace(content, unsubscribe_url=f"{sender.address}/")
    return compose(
        kind=said.notice.kind, to="exemple@exemple.invalid", content=content, letterhead=letterhead
    )


def _compose(telling: Telling, letterhead: Letterhead) -> OutgoingMail:
    """Compose the message in the reader's language, its letterhead too. Raises LookupError for a kind not declared."""
    notice = telling.said.notice
    if not notices.is_declared(notice):
        raise LookupError(f"the kind of message {notice.kind} is not declared")
    sender = Sender(letterhead["townhall"].name, letterhead["address"])
    with translation.override(telling.language):
        content = telling.said.write(sender)
        if notice.unsubscribe:
            refusable = telling.refusable or tuple(choice.name for choice in notice.choices)
            url = unsubscribing.url(address=sender.address, email=telling.to, kinds=refusable)
            content = replace(content, unsubscribe_url=url)
        return compose(
            kind=notice.kind,
            to=telling.to,
            content=content,
            letterhead=letterhead,
            key=notice.key_of(**telling.once) if notice.key else None,
            reply_to=telling.reply_to,
            secret=notice.secret is not None,
            products=telling.said.products,
        )
