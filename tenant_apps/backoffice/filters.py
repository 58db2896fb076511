"""The filters of the list of invoices: read them from the query string, and make the links that change them."""

from dataclasses import dataclass
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext as _

from tenant_apps.backoffice.access import found
from tenant_apps.invoices import queries
from tenant_apps.invoices.models import Batch
from tenant_apps.residents.models import Payer
from tenant_apps.residents.queries import payer_for_staff
from toolkit.scope import Scope
from toolkit.typed import words_of

STATES = {"": "published", "brouillons": "draft", "annulees": "cancelled", "toutes": ""}
SETTLED = {
    "": "",
    "a-regler": "unpaid",
    "en-retard": "late",
    "en-cours": "apart",
    "reglees": "paid",
    "declarees": "declared",
    "a-examiner": "in_review",
}


@dataclass(frozen=True)
class Chip:
    """A link that chooses one value of a filter."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True)
class Chosen:
    """The filters of the query string. An unknown value counts as no filter."""

    words: str
    state: str
    settled: str
    product: str
    batch: Batch | None
    payer: Payer | None
    state_chips: list[Chip]
    settled_chips: list[Chip]

    @property
    def anything(self) -> bool:
        return bool(self.words or self.settled or self.product or self.batch or self.payer)


def chosen(scope: Scope, address: QueryDict) -> Chosen:
    """Read the filters of the query string. 404 for an import or a payer that does not exist."""
    state, settled = address.get("etat", ""), address.get("reglement", "")
    state_labels = (_("En ligne"), _("En préparation"), _("Annulées"), _("Toutes"))
    settled_labels = (
        *(_("Toutes"), _("À régler"), _("En retard"), _("En cours ou suspendues"), _("Réglées")),
        *(_("Déclarées « J'ai réglé »"), _("À examiner")),
    )
    batch, payer = address.get("import", ""), address.get("redevable", "")
    return Chosen(
        words=words_of(address, "q"),
        state=STATES.get(state, "published"),
        settled=SETTLED.get(settled, ""),
        product=words_of(address, "produit", most=30),
        batch=found(queries.batch, scope, UUID(batch)) if _is_uuid(batch) else None,
        payer=found(payer_for_staff, scope, UUID(payer)) if _is_uuid(payer) else None,
        state_chips=_chips(STATES, state_labels, state),
        settled_chips=_chips(SETTLED, settled_labels, settled),
    )


def _chips(values: dict[str, str], labels: tuple[str, ...], value: str) -> list[Chip]:
    known = value if value in values else ""
    return [Chip(name, label, name == known) for name, label in zip(values, labels, strict=True)]


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
