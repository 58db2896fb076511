"""Links to PDFs. The caller has checked who may read the invoice."""

import re
from typing import cast

from django.core.files.storage import storages

from tenant_apps.invoices.models import Invoice
from toolkit.files.storage import DocumentStorage


def document_link(invoice: Invoice, *, inline: bool = True, asked: bool = False) -> str:
    """A link to the PDF of `invoice`, valid for at most five minutes. The caller has checked the right to read it.

    Raises LookupError when the invoice has no PDF. `asked`: the browser is about to follow the link; raises
    StorageSilent when S3 does not answer.
    """
    if invoice.document is None:
        raise LookupError(f"invoice {invoice.uuid} has no document")
    filename = "facture-" + re.sub(r"[^A-Za-z0-9.-]+", "-", invoice.number) + ".pdf"
    storage = cast(DocumentStorage, storages["documents"])
    if asked:
        storage.ask(invoice.document.key)
    return storage.signed_link(invoice.document.key, filename=filename, inline=inline)
