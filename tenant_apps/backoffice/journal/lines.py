"""Facts of the trail as lines of a page or of a file: when, who, what, about what, old → new, in words."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from shared_apps.accounts.team.names import authors_of
from shared_apps.audit import verbs
from shared_apps.audit.models import AuditEntry
from shared_apps.audit.verbs import Change
from tenant_apps.backoffice.journal.things import Thing, things_of

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

AT_ONCE = 500  # lines of a file that are put into words together


@dataclass(frozen=True)
class Line:
    """One fact. `thing`: what it is about; None when that is said elsewhere, or when it is about the whole town."""

    at: datetime
    who: str
    what: str
    changes: list[Change]
    said: str  # the changes in one sentence
    thing: Thing | None = None


@dataclass(frozen=True)
class Subject:
    """Facts that are read together: those whose verbs begin with one of `begin`."""

    name: str  # in addresses
    label: "StrPromise"
    begin: tuple[str, ...]


SUBJECTS = (
    Subject("imports", gettext_lazy("Imports"), ("batch", "source")),
    Subject("factures", gettext_lazy("Factures"), ("invoice", "declaration")),
    Subject("encaissements", gettext_lazy("Encaissements"), ("payment", "allocation", "deposit")),
    Subject("en-ligne", gettext_lazy("Paiements en ligne"), ("attempt",)),
    Subject("rapprochement", gettext_lazy("Rapprochement"), ("statement", "line")),
    Subject("controles", gettext_lazy("Contrôles des comptes"), ("money", "finding")),
    Subject(
        "redevables",
        gettext_lazy("Redevables et accès"),
        ("payer_email", "payer_emails", "access", "claim", "claims"),
    ),
    Subject("messages", gettext_lazy("Messages et courriels"), ("message", "mail")),
    Subject("equipe", gettext_lazy("Équipe et interventions"), ("member", "impersonation")),
    Subject("comptes", gettext_lazy("Comptes et connexions"), ("account",)),
    Subject("donnees", gettext_lazy("Données personnelles"), ("erasure", "retention")),
    Subject("regies", gettext_lazy("Régies"), ("product", "trial")),
    Subject("commune", gettext_lazy("Commune"), ("townhall",)),
)
PLATFORMS = {"town", "domain", "archive", "export", "operation", "platform"}  # of the operator's trail only


def verbs_about(subject: Subject) -> list[str]:
    """Its verbs, by their titles."""
    found = [fact for fact in verbs.every() if fact.verb.partition(".")[0] in subject.begin]
    return [fact.verb for fact in sorted(found, key=lambda fact: str(fact.title))]


def lines_of(entries: Sequence[AuditEntry]) -> list[Line]:
    """As many statements for a thousand entries as for ten: names, then one per kind of object."""
    things = things_of({entry.object for entry in entries if entry.object})
    return put_into_words(entries, authors_of({entry.actor for entry in entries}), things)


def put_into_words(
    entries: Iterable[AuditEntry], authors: dict[str, str], things: dict[str, Thing]
) -> list[Line]:
    """The lines of entries whose authors and objects are known. No statement."""
    return [
        Line(
            at=entry.at,
            who=authors.get(entry.actor, entry.actor),
            what=verbs.title(entry.verb),
            changes=verbs.each_change(entry),
            said=verbs.changes(entry),
            thing=things.get(entry.object),
        )
        for entry in entries
    ]


def file_titles() -> list[str]:
    """The columns of the file."""
    return [_("Date"), _("Qui"), _("Action"), _("Objet"), _("Nom de l'objet"), _("Détail")]


def file_rows(entries: Iterator[AuditEntry]) -> Iterator[Sequence[object]]:
    """The rows of the file, read and put into words `AT_ONCE` at a time."""
    while some := list(islice(entries, AT_ONCE)):
        for line in lines_of(some):
            kind, name = (line.thing.kind, line.thing.name) if line.thing else ("", "")
            yield line.at, line.who, line.what, kind, name, line.said
