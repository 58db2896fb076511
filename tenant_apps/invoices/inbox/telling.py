"""Tell the clerk of a source what became of a file, in the transaction that decides it."""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext, override

from shared_apps.accounts.models import Account
from shared_apps.mail.notices import Said
from shared_apps.mail.notifying import notify
from tenant_apps.invoices import queries, services
from tenant_apps.invoices.corrections import amending
from tenant_apps.invoices.inbox.sorting import plain
from tenant_apps.invoices.mails import NOT_IMPORTED, TO_CHECK
from tenant_apps.invoices.models import Batch, BatchProblem, Severity
from tenant_apps.residents import inboxes
from tenant_apps.residents.models import Arrival

SHOWN = 5  # reasons in a message
_LONGEST = 200  # characters of one
IMPORTS = "/gestion/imports/"


def tell_not_taken(arrival: Arrival, earlier: Batch | None) -> None:
    """No import was made of it; `earlier` is one of the same file."""
    clerk = _clerk_of(arrival)
    if clerk is None:
        return
    path = _path(earlier) if earlier is not None and _sees(clerk, earlier) else IMPORTS
    said = NOT_IMPORTED.about(
        file=plain(arrival.name),
        source=arrival.source.name,
        reasons=[arrival.reason],
        count=1,
        path=path,
        is_put_away=True,
    )
    _send(said.of(*clerk.scope.listed), arrival, clerk)


def tell_refused(arrival: Arrival, batch: Batch) -> None:
    """Its import was refused, or interrupted."""
    clerk = _clerk_of(arrival)
    if clerk is None:
        return
    with override(clerk.reads):
        reasons, count = ([batch.failure], 1) if batch.failure else _problems(batch)
    said = NOT_IMPORTED.about(
        file=batch.rows_name,
        source=arrival.source.name,
        reasons=reasons if _sees(clerk, batch) else [],
        count=count,
        path=_path(batch),
        is_put_away=False,
    )
    _send(said.of(*batch.product_ids), arrival, clerk)


def tell_to_check(arrival: Arrival, batch: Batch) -> None:
    """Its import waits for a person."""
    clerk = _clerk_of(arrival)
    if clerk is None:
        return
    with override(clerk.reads):
        reasons = why_it_waits(batch) if _sees(clerk, batch) else []
    said = TO_CHECK.about(
        file=batch.rows_name,
        source=arrival.source.name,
        reasons=reasons,
        new=batch.new_count,
        path=_path(batch),
    )
    _send(said.of(*batch.product_ids), arrival, clerk)


def why_it_waits(batch: Batch) -> list[str]:
    """What a person must look at in a ready import before it is published, in figures only."""
    questions = services.open_questions(batch).count()
    agreements = amending.waiting(batch).count()
    doubts = doubtful(batch)
    counted = (
        (
            questions,
            ngettext("%(n)d question sur un redevable.", "%(n)d questions sur des redevables.", questions),
        ),
        (
            batch.change_count,
            ngettext(
                "%(n)d redevable connu change.", "%(n)d redevables connus changent.", batch.change_count
            ),
        ),
        (
            batch.amended_count,
            ngettext(
                "%(n)d facture en ligne change.", "%(n)d factures en ligne changent.", batch.amended_count
            ),
        ),
        (agreements, ngettext("%(n)d accord à donner.", "%(n)d accords à donner.", agreements)),
        (
            batch.refused_count,
            ngettext("%(n)d ligne refusée.", "%(n)d lignes refusées.", batch.refused_count),
        ),
        (doubts, ngettext("%(n)d avertissement à lire.", "%(n)d avertissements à lire.", doubts)),
    )
    return [sentence % {"n": number} for number, sentence in counted if number]


def doubtful(batch: Batch) -> int:
    """How many problems of a ready import are about one row or one PDF, and not about the file as a whole."""
    return BatchProblem.objects.filter(batch=batch).exclude(line=None, value="").count()


def _problems(batch: Batch) -> tuple[list[str], int]:
    errors = queries.problems(batch, severity=Severity.ERROR)
    lines = []
    for one in errors[:SHOWN]:
        where = _("ligne %(line)d : ") % {"line": one.line} if one.line else ""
        lines.append(f"{where}{one.message}"[:_LONGEST])
    return lines, errors.count()


def _clerk_of(arrival: Arrival) -> Account | None:
    """Who is told; None when they may no longer see imports."""
    clerk = arrival.source.clerk
    return clerk if inboxes.may_import(clerk) else None


def _sees(clerk: Account, batch: Batch) -> bool:
    return queries.batches(clerk.scope).filter(pk=batch.pk).exists()


def _path(batch: Batch) -> str:
    return f"{IMPORTS}{batch.uuid}/"


def _send(said: Said[Any], arrival: Arrival, clerk: Account) -> None:
    notify(said, to=clerk.email, language=clerk.reads, once={"arrival": arrival.uuid})
