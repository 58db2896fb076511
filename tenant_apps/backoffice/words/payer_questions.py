"""What an import asks about payers and what it changes of them, as its page shows it."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator

from tenant_apps.backoffice.access import StaffRequest
from tenant_apps.invoices import queries
from tenant_apps.invoices.importing.people.matching import said_of
from tenant_apps.invoices.importing.people.questions import Change, changes_of, name_in, place_in, sentences
from tenant_apps.invoices.importing.publishing import said_emails
from tenant_apps.invoices.models import Batch, PayerUpdate
from tenant_apps.invoices.states import Asked, BatchState
from tenant_apps.residents.emails.billing import preview_emails

QUESTIONS, CHANGES = 20, 50  # a page
LOSING = 20  # accounts that would lose their access, by name
MANY_NAMES = 3  # so many other names under known codes: the file may be of another source


@dataclass(frozen=True)
class Question:
    """One payer that a person must look at: who the town knows, and who the file means."""

    update: PayerUpdate
    why: list[str]
    known_name: str  # "" when nobody is known: the other code is of the same file
    known_place: str
    said_name: str
    said_place: str
    may_be_other: bool


@dataclass(frozen=True)
class Changed:
    """A known payer of whom the file says something else."""

    update: PayerUpdate
    changes: list[Change]


def asked_of(batch: Batch, request: StaffRequest) -> dict[str, Any]:
    """What the page of an import needs of its payers; no statement when there is nothing to show."""
    asked = Paginator(
        queries.questions(batch).prefetch_related("payer__emails", "looks_like__emails"), QUESTIONS
    )
    changed = Paginator(queries.payer_changes(batch), CHANGES)
    if not batch.question_count:
        asked.count = 0  # known: nothing is counted
    if not batch.change_count:
        changed.count = 0
    questions, changes = (
        asked.get_page(request.GET.get("question")),
        changed.get_page(request.GET.get("modif")),
    )
    waiting = queries.waiting_questions(batch) if batch.question_count else queries.Waiting()
    emails = (
        preview_emails(said_emails(batch)) if batch.change_count and batch.state == BatchState.READY else None
    )
    return {
        "questions": questions,
        "shown_questions": [_question(update) for update in questions],
        "waiting": waiting,
        "many_names": waiting.persons >= MANY_NAMES,
        "losing": emails.accesses[:LOSING] if emails else [],
        "losing_count": len(emails.losing) if emails else 0,
        "kept_out": len(emails.kept_out) if emails else 0,
        "changes": changes,
        "shown_changes": [Changed(update, changes_of(update)) for update in changes],
    }


def _question(update: PayerUpdate) -> Question:
    known = update.looks_like if update.asks == Asked.CODE else update.payer
    had = said_of(known) if known is not None and not known.is_draft else {}
    return Question(
        update=update,
        why=sentences(update),
        known_name=name_in(had),
        known_place=place_in(had),
        said_name=name_in(update.said),
        said_place=place_in(update.said),
        may_be_other=update.asks == Asked.CODE,
    )
