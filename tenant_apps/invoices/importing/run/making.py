"""PDFs made from the data of invoices that billing sent without one, where the source wants it."""

import hashlib
from contextlib import suppress
from dataclasses import replace

from django.core.files.storage import storages

from tenant_apps.invoices.documents.made import Letterhead, made_document
from tenant_apps.invoices.importing.documents.kinds import Pdf
from tenant_apps.invoices.importing.records.kinds import InvoiceRow
from tenant_apps.invoices.importing.run.chunks import Candidate
from tenant_apps.products.models import Mode, Product
from tenant_apps.residents.models import Payer
from tenant_apps.townhall.queries import current_townhall
from tenants.current import current_town
from tenants.hosts import registry
from toolkit.files.storage import StorageSilent

MADE = "\0made/"  # begins the key of such a PDF; no file of an archive has such a name
_OF_PERSON = ("title", "last_name", "first_name", "address", "postcode", "city")


def key_of_made(row: InvoiceRow) -> str:
    """The key of the PDF that is made for a row."""
    return f"{MADE}{row.fiscal_year}/{row.number}"


class Maker:
    """Makes them under the town's letterhead; the same data always give the same bytes."""

    def __init__(self) -> None:
        town = current_townhall()
        logo = b""
        if town.logo:
            with suppress(FileNotFoundError, StorageSilent), storages["documents"].open(town.logo) as kept:
                logo = kept.read()
        self._letterhead = Letterhead.of(town, portal=registry.address_of(current_town()), logo=logo)

    def make(self, candidate: Candidate, payer: Payer | None) -> Pdf:
        """The PDF of one invoice. What its row does not say of the payer is what the town knows."""
        row = candidate.row
        if payer is not None and not row.said & {"last_name", "address1"}:
            row = replace(row, **{name: getattr(payer, name) for name in _OF_PERSON})
        content = made_document(
            row, self._letterhead, regie=candidate.product.label, online=_is_online(candidate.product)
        )
        return Pdf(f"{row.number}.pdf", content, hashlib.sha256(content).hexdigest(), pages=1)


def _is_online(product: Product) -> bool:
    return product.is_paid_online and product.mode == Mode.PRODUCTION and product.closed_at is None
