"""Readers of messages: a resident reads their own threads, staff the town's (the view has checked the role)."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from shared_apps.accounts.models import Account
from tenant_apps.contact.files.attachments import File
from tenant_apps.contact.models import Author, Message
from toolkit.scope import Scope

State = Literal["", "todo", "handled", "held"]
A_PAGE = 20
_STATES = {
    "": Q(),
    "todo": Q(handled_at=None, held=False),
    "handled": Q(handled_at__isnull=False),
    "held": Q(handled_at=None, held=True),
}


def _threads() -> QuerySet[Message]:
    return Message.objects.filter(thread=None).select_related("invoice").order_by("-last_at", "-id")


def whole(root: Message) -> QuerySet[Message]:
    """The messages of a thread, oldest first."""
    return Message.objects.filter(Q(pk=root.pk) | Q(thread=root.pk)).select_related("account").order_by("id")


def last_of(root: Message) -> UUID:
    """The public id of the last message of a thread."""
    lines = Message.objects.filter(Q(pk=root.pk) | Q(thread=root.pk)).order_by("-id")
    return lines.values_list("uuid", flat=True)[0]


# --- for staff: the scope says of which régies ----------------------------------------------------
# What a thread without an invoice is about is only in its words: whoever works for some régies does not see it.


def messages(scope: Scope, *, state: State = "", words: str = "") -> QuerySet[Message]:
    """The threads about invoices of `scope`, most recent first; those about none are for who works for every régie.

    Each of `words` must occur in subject, address or invoice.
    """
    found = scope.of(_threads(), "invoice__product").filter(_STATES[state])
    for word in words.split()[:6]:
        found = found.filter(
            Q(subject__icontains=word) | Q(email__icontains=word) | Q(invoice__number__icontains=word)
        )
    return found


def waiting(scope: Scope) -> dict[str, int]:
    """How many threads wait for staff: `todo`, and `held` as possible spam."""
    return scope.of(Message.objects.filter(thread=None, handled_at=None), "invoice__product").aggregate(
        todo=Count("id", filter=_STATES["todo"]), held=Count("id", filter=_STATES["held"])
    )


def message(scope: Scope, public_id: UUID) -> Message:
    """The first message of a thread. Raises Message.DoesNotExist."""
    seen = scope.of(Message.objects.filter(thread=None), "invoice__product")
    return seen.select_related("invoice__payer", "account").get(uuid=public_id)


def file(root: Message, file_id: UUID) -> File:
    """One of a thread's files. Raises Message.DoesNotExist."""
    for one in whole(root).exclude(files=[]):
        for found in one.attached:
            if found.id == file_id:
                return found
    raise Message.DoesNotExist


# --- for a resident -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Threads:
    """A page of a resident's threads, and the mark of the next page (empty on the last)."""

    rows: list[Message]
    next_mark: str


def threads_of_resident(account: Account, *, after: str = "") -> Threads:
    """The threads of `account`, most recent first, after the thread of that mark."""
    found = _threads().filter(account=account, author=Author.RESIDENT)
    last = _own(account, after)
    if last is not None:
        found = found.filter(Q(last_at__lt=last.last_at) | Q(last_at=last.last_at, id__lt=last.pk))
    rows = list(found[: A_PAGE + 1])
    return Threads(rows[:A_PAGE], str(rows[A_PAGE - 1].uuid) if len(rows) > A_PAGE else "")


def _own(account: Account, mark: str) -> Message | None:
    try:
        return Message.objects.filter(account=account, thread=None, uuid=UUID(mark)).first()
    except ValueError:
        return None


def news_for_resident(account: Account) -> int:
    """How many threads of `account` have an unopened answer."""
    return Message.objects.filter(
        account=account, thread=None, last_author=Author.STAFF, read_at=None
    ).count()


def thread_for_resident(account: Account, public_id: UUID) -> Message:
    """The first message of one of their threads. Raises Message.DoesNotExist for an absent or forbidden one."""
    own = Message.objects.filter(account=account, author=Author.RESIDENT, thread=None)
    return own.select_related("invoice", "account").get(uuid=public_id)
