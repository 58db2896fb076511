"""The form of a payment, filled in; and the words of our PDFs."""

import io
import uuid
from typing import Any

import pikepdf

from tenant_apps.invoices.models import Invoice
from toolkit import clock

NEW = "/gestion/encaissements/nouveau/"


def filled(invoices: list[Invoice], **more: str) -> dict[str, Any]:
    """The form as the page gives it: the balances written in."""
    amounts = {f"montant_{one.uuid.hex}": f"{one.balance}".replace(".", ",") for one in invoices}
    values = {"means": "cheque", "paid_on": clock.today().isoformat(), "number": "0000123", "bank": "Crédit"}
    return {
        "facture": [str(one.uuid) for one in invoices],
        "key": str(uuid.uuid4()),
        **amounts,
        **values,
        **more,
    }


def pdf_text(content: bytes) -> str:
    """The words of a PDF of ours, in the order they are drawn."""
    with pikepdf.open(io.BytesIO(content)) as pdf:
        drawn = [
            bytes(operands[0]).decode("cp1252")
            for page in pdf.pages
            for operands, operator in pikepdf.parse_content_stream(page)
            if str(operator) == "Tj"
        ]
    return " ".join(" ".join(drawn).split()).replace("\xa0", " ")
