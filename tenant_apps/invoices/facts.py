"""What happens to imports and to invoices."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from shared_apps.audit.saying import (
    AMOUNT,
    FILE,
    INVOICES,
    NAME,
    PAYERS,
    REASON,
    day,
    how_many,
    moment,
    one_of,
    truth,
)
from shared_apps.audit.verbs import Fact, Key, Say, declare
from tenant_apps.invoices.importing.records.kinds import LABELS
from tenant_apps.invoices.importing.records.rules import LEAVE_OUT, REFUSE, WHO_BY_CODE, WHO_BY_NAME
from tenant_apps.invoices.states import InvoiceState, OnlineHold

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

HOLD = Key("hold", _("paiement en ligne empêché"), one_of(OnlineHold))
STATE = Key("state", _("état"), one_of(InvoiceState))
ANSWER = Key("answer")  # an `Answer`; the names say who was meant
READ = (
    Key("new", _("nouvelles"), how_many),
    Key("unchanged", _("inchangées"), how_many),
    Key("errors", _("erreurs"), how_many),
    Key("changes", _("changements"), how_many),
    Key("questions", _("questions"), how_many),
    Key("amended", _("factures en ligne modifiées"), how_many),
)
AMENDED = (
    *(
        AMOUNT,
        Key("issued_on", _("date"), day),
        Key("due_on", _("échéance"), day),
        Key("subject", _("objet")),
    ),
    *(
        Key("debit_on", _("prélevée le")),
        Key("payer"),
        Key("code", _("code")),
        Key("sha256", _("empreinte du PDF")),
    ),
)

WHO = {WHO_BY_CODE: _("par le code"), WHO_BY_NAME: _("par le nom")}
NEGATIVES = {REFUSE: _("refusés"), LEAVE_OUT: _("laissés de côté")}


def _columns(value: dict[str, str]) -> str:
    """« famille : Code redevable, lot : non lue »."""
    unread = gettext("non lue")
    return ", ".join(f"{title} : {LABELS.get(name, name) or unread}" for title, name in value.items())


def _dates(value: dict[str, str]) -> str:
    return ", ".join(day(one) for one in value.values())


def _said(words: "Mapping[str, StrPromise]") -> Say:
    return lambda value: str(words.get(value, value))


RULES = (
    Key("columns", _("colonnes"), _columns),
    Key("encoding", _("encodage")),
    Key("who", _("redevables reconnus"), _said(WHO)),
    Key("subject", _("objet des factures qui n'en ont pas")),
    Key("due_days", _("jours de la date à l'échéance")),
    Key("product", _("régie des factures qui n'en ont pas")),
    Key("prefix", _("début des numéros")),
    Key("negatives", _("montants négatifs"), _said(NEGATIVES)),
    Key("document_pattern", _("nom des PDF")),
    Key("makes_documents", _("PDF faits par le portail"), truth),
    Key("dates", _("date donnée à un fichier"), _dates),
)

declare(
    Fact("source.rules_changed", _("Règles d'une provenance changées"), before=RULES, after=RULES),
    Fact(
        "batch.uploaded",
        _("Import envoyé"),
        after=(FILE, Key("source", _("provenance")), Key("format", _("format"))),
    ),
    Fact(
        "batch.arrived",
        _("Fichier pris dans un dossier de dépôt"),
        after=(FILE, Key("told", _("qui est prévenu")), Key("account")),
    ),
    Fact("batch.ready", _("Import lu"), after=READ),
    Fact("batch.refused", _("Import refusé"), after=READ),
    Fact("batch.publication_asked", _("Mise en ligne demandée")),
    Fact(
        "batch.publication_planned",
        _("Mise en ligne prévue un autre jour"),
        before=(Key("day", _("jour"), day),),
        after=(Key("day", _("jour"), day),),
    ),
    Fact(
        "batch.published",
        _("Factures mises en ligne"),
        after=(
            *(INVOICES, PAYERS, Key("documents", _("PDF ajoutés à des factures en ligne"), how_many)),
            Key("amended", _("factures en ligne modifiées"), how_many),
        ),
    ),
    Fact("batch.taken_back", _("Import repris"), after=(INVOICES,)),
    Fact("batch.failed", _("Import interrompu"), after=(REASON,)),
    Fact("batch.retried", _("Import recommencé")),
    Fact("batch.discarded", _("Import abandonné")),
    Fact("batch.checked_again", _("Import vérifié de nouveau")),
    Fact(
        "batch.change_answered",
        _("Réponse donnée sur une facture qui change"),
        before=(ANSWER,),
        after=(Key("number", _("numéro")), ANSWER),
    ),
    Fact("batch.rows_given_up", _("Lignes gardées abandonnées")),
    Fact(
        "batch.row_corrected",
        _("Ligne d'un import corrigée"),
        after=(Key("line", _("ligne")), Key("columns", _("colonnes"))),
    ),
    Fact("invoice.amended", _("Facture modifiée par un import"), before=AMENDED, after=AMENDED),
    Fact(
        "batch.payer_answered",
        _("Réponse donnée sur un dossier"),
        before=(NAME, ANSWER),
        after=(Key("payer"), Key("code", _("code")), NAME, ANSWER),
    ),
    Fact("invoice.credited", _("Facture réduite"), before=(AMOUNT,), after=(AMOUNT, REASON)),
    Fact("invoice.cancelled", _("Facture annulée"), before=(STATE, AMOUNT), after=(STATE, REASON)),
    Fact("invoice.held", _("Paiement en ligne d'une facture changé"), before=(HOLD,), after=(HOLD,)),
    Fact(
        "claims.locked",
        _("Rattachement par facture suspendu après trop d'essais"),
        after=(PAYERS, Key("until", _("jusqu'à"), moment)),
    ),
    room=__name__,
    objects={"batch": _("import"), "invoice": _("facture")},
)
