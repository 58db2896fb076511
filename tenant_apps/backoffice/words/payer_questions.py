"""What the page of an import shows about payers: questions, and changes."""

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Paginator

from tenant_apps.backoffice.access import StaffRequest
from tenant_apps.invoices import queries
from tenant_apps.invoices.importing.people.matching import said_of
from tenant_apps.invoices.importing.people.questions import Change, changes_of, name_in, place_in, sentences
from tenant_apps.invoices.importing.run.publishing import said_emails
from tenant_apps.invoices.models import Batch, PayerUpdate
from tenant_apps.invoices.states import Asked, BatchState
from tenant_apps.residents.emails.billing import preview_emails

QUESTIONS, CHANGES = 20, 50  # per page
LOSING = 20  # accounts that would lose their access, shown by name
MANY_NAMES = 3  # with this many other names under known codes, the file may come from another source


@dataclass(frozen=True)
class Question:
    """A payer that staff must decide about: the one the town knows, and the one in the file."""

    update: PayerUpdate
    why: list[str]
    known_name: str  # empty if the other code is in the same file
    known_place: str
    said_name: str
    said_place: str
    may_be_other: bool


@dataclass(frozen=True)
class Changed:
    """A known payer that the file changes."""

    update: PayerUpdate
    changes: list[Change]


def asked_of(batch: Batch, request: StaffRequest) -> dict[str, Any]:
    """The template variables about payers. Runs no statement when there is nothing to show."""
    asked = Paginator(
        queries.questions(batch).prefetch_related("payer__emails", "looks_like__emails"), QUESTIONS
    )
    changed = Paginator(queries.payer_changes(batch), CHANGES)
    if not batch.question_count:
        asked.count = 0  # the number is known: no COUNT
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
