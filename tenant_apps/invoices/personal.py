"""What a person's copy of their data holds from this room: what the portal shows them. Invoices are never erased."""

from collections.abc import Iterator

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from shared_apps.accounts.models import Account
from shared_apps.privacy.personal import Section
from tenant_apps.invoices.models import Amendment, Credit, Invoice
from tenant_apps.invoices.states import InvoiceState
from tenant_apps.residents.queries import payer_ids_of


def shown(account: Account) -> QuerySet[Invoice]:
    """What `account` may read, cancelled invoices too (queries.invoice_for_resident), oldest first."""
    states = (InvoiceState.PUBLISHED, InvoiceState.CANCELLED)
    theirs = Invoice.objects.filter(payer__in=payer_ids_of(account), state__in=states)
    return theirs.order_by("issued_on", "id")


def documents_of(account: Account) -> QuerySet[Invoice]:
    """Those with a PDF, for `archives.parts_of`."""
    return shown(account).filter(document__isnull=False).select_related("document")


def give(account: Account, addresses: frozenset[str]) -> Iterator[Section]:
    """The invoices of the payers that the account may see, their avoirs, and what billing changed on them."""
    fields = (
        *("number", "fiscal_year", "reference", "subject", "product__label", "payer__reference"),
        *("issued_on", "due_on", "amount", "credited", "paid", "published_at"),
        *("document__pages", "document__size", "document__sha256", "state"),
    )
    yield Section(
        "factures",
        _("Mes factures"),
        [
            ("numero", _("Numéro")),
            ("exercice", _("Exercice")),
            ("reference", _("Référence de paiement")),
            ("objet", _("Objet")),
            ("service", _("Service")),
            ("dossier", _("Dossier")),
            ("date", _("Date")),
            ("echeance", _("Échéance")),
            ("montant", _("Montant")),
            ("avoirs", _("Avoirs")),
            ("regle", _("Réglé")),
            ("mise_en_ligne_le", _("Mise en ligne le")),
            ("pdf_pages", _("Pages du PDF")),
            ("pdf_octets", _("Taille du PDF en octets")),
            ("pdf_sha256", _("Empreinte SHA-256 du PDF")),
            ("etat", _("État")),
        ],
        (
            (*row, InvoiceState(state).label)
            for *row, state in shown(account).values_list(*fields).iterator(chunk_size=500)
        ),
    )
    credits = Credit.objects.filter(invoice__in=shown(account).order_by()).order_by("id")
    yield Section(
        "avoirs",
        _("Avoirs sur mes factures"),
        [
            ("facture", _("Facture")),
            ("montant", _("Montant")),
            ("annule_la_facture", _("Annule la facture")),
            ("motif", _("Motif")),
            ("date", _("Date")),
        ],
        credits.values_list("invoice__number", "amount", "cancels", "reason", "made_at").iterator(),
    )
    changes = Amendment.objects.filter(
        invoice__in=shown(account).order_by(), applied_at__isnull=False, credit=None
    )
    yield Section(
        "modifications",
        _("Modifications de mes factures"),
        [
            ("facture", _("Facture")),
            ("avant", _("Avant")),
            ("apres", _("Après")),
            ("date", _("Date")),
        ],
        (
            (number, _in_words(was), _in_words(becomes), applied_at)
            for number, was, becomes, applied_at in changes.order_by("id")
            .values_list("invoice__number", "was", "becomes", "applied_at")
            .iterator(chunk_size=500)
        ),
    )


def _in_words(values: dict[str, str | None]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items() if value)
