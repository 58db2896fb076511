"""Readers of the outbox, for staff (the view has checked the role). Bodies stay hidden: some hold a link.

The scope says of which régies: whoever works for some sees the messages about these and no other, so none about an
account or about a thread without an invoice.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import Count, Min, Q, QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.mail import notices
from shared_apps.mail.models import MailProblem, MailState, OutgoingMail
from toolkit import clock, emails
from toolkit.scope import Scope

LATE = timedelta(minutes=15)
A_DAY = timedelta(days=1)
ALIKE = 3
# Problems of one message, which say nothing about the others.
OF_ITSELF = (MailProblem.ADDRESS, MailProblem.COPY)
SAMPLES = 3
_READ = 200  # messages among which the samples are looked for
_CLASS = re.compile(r"^[A-Z]\w+: ")  # of the error, before the server's words (sending.problems.in_words)
_ADDRESS = re.compile(r"[^\s<>()'\",;:@]+@[^\s<>()'\",;:@]+")
_CALL = gettext_lazy("Prévenez l'exploitant de la plateforme.")
_ADVICE = {
    MailProblem.LATER: gettext_lazy(
        "Ils sont présentés de nouveau d'eux-mêmes : attendez une heure, puis prévenez l'exploitant de la plateforme."
    ),
    MailProblem.SERVER: gettext_lazy(
        "Ils partiront d'eux-mêmes quand il répondra. Si cela dure, prévenez l'exploitant de la plateforme."
    ),
}


def outgoing(scope: Scope, *, state: str = "") -> QuerySet[OutgoingMail]:
    """The messages of the current schema, newest first, without their bodies."""
    mails = scope.all_in(OutgoingMail.objects.defer("text", "html")).order_by("-id")
    return mails.filter(state=state) if state else mails


def mail(scope: Scope, public_id: UUID) -> OutgoingMail:
    """One message. Raises OutgoingMail.DoesNotExist."""
    return scope.all_in(OutgoingMail.objects.all()).get(uuid=public_id)


@dataclass(frozen=True)
class Standstill:
    """Mail does not leave: how many wait or failed, since when, and the server's most frequent answer.

    `stopped`: nothing leaves at all.
    """

    stopped: bool
    count: int
    since: datetime
    problem: MailProblem | None  # None: not tried; the worker does not run

    @property
    def headline(self) -> str:
        """What is wrong, in a sentence."""
        if self.stopped:
            return _("Les courriels ne partent plus.")
        return _("Plusieurs courriels ont échoué pour la même raison.")

    @property
    def reason(self) -> str:
        """The reason in words, without a capital."""
        return str(self.problem.label) if self.problem else _("personne ne les a encore présentés au serveur")

    @property
    def advice(self) -> str:
        """What staff can do."""
        return str(_ADVICE.get(self.problem, _CALL) if self.problem else _CALL)


@dataclass(frozen=True)
class Unsent:
    """How many messages failed, and whether mail stands still."""

    failed: int
    standstill: Standstill | None


def unsent(scope: Scope) -> Unsent:
    """What has not left. One statement, and a second one when something has waited for `LATE`.

    Mail stands still when nothing left meanwhile, or when `ALIKE` messages in a day failed for the same reason.
    """
    present = clock.now()
    waiting_ = OutgoingMail.objects.filter(state__in=[MailState.QUEUED, MailState.SENDING, MailState.FAILED])
    ours = scope.all_in(waiting_)
    today = Q(created_at__gte=present - A_DAY)
    groups = list(
        ours.order_by()
        .annotate(has_failed=Q(state=MailState.FAILED))
        .values_list("has_failed", "problem")
        .annotate(n=Count("pk"), since=Min("created_at"), new=Count("pk", filter=today))
        .annotate(new_since=Min("created_at", filter=today))
    )
    waiting = {problem: (n, since) for has_failed, problem, n, since, *_new in groups if not has_failed}
    failed = {
        problem: (new, since)
        for has_failed, problem, _n, _since, new, since in groups
        if has_failed and new and problem not in OF_ITSELF
    }
    found = _worst(failed, stopped=False, at_least=ALIKE)
    late = any(since < present - LATE for _n, since in waiting.values())
    if late and not OutgoingMail.objects.filter(sent_at__gte=present - LATE).exists():
        found = _worst(waiting, stopped=True)
    return Unsent(failed=sum(n for has_failed, _problem, n, *_more in groups if has_failed), standstill=found)


def _worst(kinds: dict[str, tuple[int, datetime]], *, stopped: bool, at_least: int = 0) -> Standstill | None:
    """All of them under the most frequent problem; None when it has fewer than `at_least`."""
    tried = {problem: n for problem, (n, _since) in kinds.items() if problem}
    problem = max(tried, key=tried.__getitem__, default="")
    if not kinds or tried.get(problem, 0) < at_least:
        return None
    return Standstill(
        stopped=stopped,
        count=sum(n for n, _since in kinds.values()),
        since=min(since for _n, since in kinds.values()),
        problem=MailProblem(problem) if problem else None,
    )


@dataclass(frozen=True)
class Failing:
    """The messages that one problem holds back: those given up, and those that will be tried again.

    `samples` are subject lines without a person's words, and `answers` are the server's own words without addresses:
    the operator reads them.
    """

    problem: MailProblem
    failed: int
    waiting: int
    since: datetime
    samples: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)


def failing(*, since: datetime) -> list[Failing]:
    """The problems of messages that failed (created after `since`) or wait, the most frequent first. One statement."""
    failed = Count("pk", filter=Q(state=MailState.FAILED))
    rows = (
        _held(since)
        .values("problem")
        .annotate(failed=failed, n=Count("pk"), since=Min("created_at"))
        .order_by("-n")
    )
    return [
        Failing(MailProblem(row["problem"]), row["failed"], row["n"] - row["failed"], row["since"])
        for row in rows
    ]


def failing_with_samples(*, since: datetime) -> list[Failing]:
    """As `failing`, with a few samples of each. Two statements."""
    found = {one.problem.value: one for one in failing(since=since)}
    held = _held(since).order_by("-id").values_list("problem", "kind", "subject", "last_error")
    for problem, kind, subject, answer in held[:_READ] if found else ():
        one = found.get(problem)
        if one is not None:
            _add(one.samples, _shown_subject(kind, subject))
            _add(one.answers, _shown_answer(answer))
    return list(found.values())


def _held(since: datetime) -> "QuerySet[OutgoingMail]":
    waiting = Q(state__in=[MailState.QUEUED, MailState.SENDING])
    return (
        OutgoingMail.objects.filter(waiting | Q(state=MailState.FAILED, created_at__gte=since))
        .exclude(problem="")
        .order_by()
    )


def _add(samples: list[str], text: str) -> None:
    if text and text not in samples and len(samples) < SAMPLES:
        samples.append(text)


def _shown_answer(answer: str) -> str:
    """The server's words without addresses."""
    return _ADDRESS.sub(lambda met: emails.masked(met[0]), _CLASS.sub("", answer))


def _shown_subject(kind: str, subject: str) -> str:
    """The subject line, or the title of its kind when it quotes a person."""
    notice = notices.find(kind)
    return subject if notice is not None and not notice.quotes else notices.title(kind)
