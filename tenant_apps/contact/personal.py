"""What a person's copy holds from this room, what is erased, and what is kept for some months.

See shared_apps.privacy.personal.
"""

from collections.abc import Iterator, Mapping

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from shared_apps.privacy.personal import Section
from tenant_apps.contact.files import stored
from tenant_apps.contact.files.attachments import File
from tenant_apps.contact.models import Author, Message
from tenants.work import agenda


def threads() -> QuerySet[Message]:
    """Threads to delete when old, handled or not. The whole thread goes with its first message."""
    return Message.objects.filter(thread=None)


def sweep_soon() -> None:
    """Plan the sweep after messages were deleted: their files have no row now."""
    agenda.wake(stored.KIND)


def _of(account: Account, addresses: frozenset[str]) -> QuerySet[Message]:
    """The threads that the person started, signed in or as a visitor with their address."""
    return threads().filter(Q(account=account) | Q(account=None, email__in=addresses))


def _whole(account: Account, addresses: frozenset[str]) -> QuerySet[Message]:
    roots = _of(account, addresses).order_by().values("pk")
    return Message.objects.filter(Q(pk__in=roots) | Q(thread__in=roots)).order_by("id")


def give(account: Account, addresses: frozenset[str]) -> Iterator[Section]:
    """What they wrote and the answers, word for word, without the names of staff."""
    yield Section(
        "messages",
        _("Messages avec le service"),
        [
            ("conversation", _("Conversation")),
            ("ecrit_le", _("Écrit le")),
            ("auteur", _("Auteur")),
            ("sujet", _("Sujet")),
            ("texte", _("Texte")),
            ("facture", _("Facture")),
            ("pieces_jointes", _("Pièces jointes")),
        ],
        (
            (
                root or own,
                at,
                Author(author).label,
                subject,
                body,
                number,
                ", ".join(f["name"] for f in joined),
            )
            for own, root, at, author, subject, body, number, joined in _whole(account, addresses)
            .values_list(
                *("uuid", "thread__uuid", "created_at", "author", "subject", "body"),
                *("invoice__number", "files"),
            )
            .iterator(chunk_size=200)
        ),
    )


def files_of(account: Account, addresses: frozenset[str]) -> Iterator[tuple[File, str]]:
    """The files of those messages, with distinct names."""
    for message in _whole(account, addresses).exclude(files=[]):
        for file in message.attached:
            yield file, f"{message.created_at:%Y-%m-%d}-{file.id}-{file.ascii_name}"


def erase(account: Account, addresses: frozenset[str]) -> Mapping[str, int]:
    """Delete the threads with answers and files: they are by the person or about them."""
    had_files = _whole(account, addresses).exclude(files=[]).exists()
    gone = _of(account, addresses).delete()[0]
    if had_files:
        agenda.plan(stored.KIND, timezone.now())
    return {"messages": gone}
