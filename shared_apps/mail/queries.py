"""Readers of the outbox, for staff: the door has checked the role. Bodies are not for reading: some hold a link."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Min, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.mail.models import MailProblem, MailState, OutgoingMail
from toolkit import clock

LATE = timedelta(minutes=15)
A_DAY = timedelta(days=1)
ALIKE = 3
_OF_ITSELF = (MailProblem.ADDRESS, MailProblem.COPY)  # what says nothing of the others
_CALL = gettext_lazy("Prévenez l'exploitant de la plateforme.")
_ADVICE = {
    MailProblem.LATER: gettext_lazy(
        "Ils sont présentés de nouveau d'eux-mêmes : attendez une heure, puis prévenez l'exploitant de la plateforme."
    ),
    MailProblem.SERVER: gettext_lazy(
        "Ils partiront d'eux-mêmes quand il répondra. Si cela dure, prévenez l'exploitant de la plateforme."
    ),
}


def outgoing(*, state: str = "") -> QuerySet[OutgoingMail]:
    """The messages of the current schema, newest first, without their bodies."""
    mails = OutgoingMail.objects.defer("text", "html").order_by("-id")
    return mails.filter(state=state) if state else mails


def failed_mails() -> QuerySet[OutgoingMail]:
    """What could not be delivered and waits for a person."""
    return outgoing(state=MailState.FAILED)


def mail(public_id: UUID) -> OutgoingMail:
    """One message. Raises OutgoingMail.DoesNotExist."""
    return OutgoingMail.objects.get(uuid=public_id)


@dataclass(frozen=True)
class Standstill:
    """Mail does not leave: how many wait or failed, since when, and what the server says of most of them.

    `stopped`: nothing leaves at all.
    """

    stopped: bool
    count: int
    since: datetime
    problem: MailProblem | None  # None: nobody has tried; the worker is not at work

    @property
    def headline(self) -> str:
        """What is wrong, in a sentence."""
        if self.stopped:
            return _("Les courriels ne partent plus.")
        return _("Plusieurs courriels ont échoué pour la même raison.")

    @property
    def reason(self) -> str:
        """In words, without a capital."""
        return str(self.problem.label) if self.problem else _("personne ne les a encore présentés au serveur")

    @property
    def advice(self) -> str:
        """What staff can do."""
        return str(_ADVICE.get(self.problem, _CALL) if self.problem else _CALL)


def standstill() -> Standstill | None:
    """When nothing has left for `LATE` though messages waited, or when `ALIKE` failed today for one reason."""
    present = clock.now()
    waiting = OutgoingMail.objects.filter(state__in=[MailState.QUEUED, MailState.SENDING])
    late = waiting.filter(created_at__lt=present - LATE)
    failed = OutgoingMail.objects.filter(state=MailState.FAILED, created_at__gte=present - A_DAY)
    failed = failed.exclude(problem__in=_OF_ITSELF)
    if late.exists() and not OutgoingMail.objects.filter(sent_at__gte=present - LATE).exists():
        return _worst(waiting, stopped=True)
    return _worst(failed, stopped=False, at_least=ALIKE)


def _worst(mails: QuerySet[OutgoingMail], *, stopped: bool, at_least: int = 0) -> Standstill | None:
    """All of them under the problem that most of them met; None when fewer than `at_least` met one."""
    kinds = list(mails.order_by().values_list("problem").annotate(n=Count("pk"), since=Min("created_at")))
    tried = {problem: n for problem, n, _since in kinds if problem}
    problem = max(tried, key=tried.__getitem__, default="")
    if not kinds or tried.get(problem, 0) < at_least:
        return None
    return Standstill(
        stopped=stopped,
        count=sum(n for _problem, n, _since in kinds),
        since=min(since for _problem, _n, since in kinds),
        problem=MailProblem(problem) if problem else None,
    )
