"""Links to PDFs, made only after the access check."""

import re
from typing import cast

from django.core.files.storage import storages

from tenant_apps.invoices.models import Invoice
from toolkit.files.storage import DocumentStorage


def document_link(invoice: Invoice, *, inline: bool = True, asked: bool = False) -> str:
    """A link of at most five minutes to the PDF of `invoice`, which the caller was allowed to read.

    Raises LookupError when it has no PDF. `asked`: somebody is about to be sent there; raises StorageSilent when they
    would find nobody.
    """
    if invoice.document is None:
        raise LookupError(f"invoice {invoice.uuid} has no document")
    filename = "facture-" + re.sub(r"[^A-Za-z0-9.-]+", "-", invoice.number) + ".pdf"
    storage = cast(DocumentStorage, storages["documents"])
    if asked:
        storage.ask(invoice.document.key)
    return storage.signed_link(invoice.document.key, filename=filename, inline=inline)
