"""The PDF that is made from an invoice's data: what it says, and always the same bytes. No database."""

import dataclasses
import io
from datetime import date
from decimal import Decimal

import pikepdf
import pytest
from PIL import Image

from tenant_apps.invoices.documents.made import Letterhead, made_document
from tenant_apps.invoices.importing.documents.sound import pages_of
from tenant_apps.invoices.importing.records.kinds import InvoiceRow
from tenant_apps.townhall.models import TownHall
from toolkit.reading.pdf_text import texts_of

TOWN = TownHall(
    name="Mairie de Démonstration",
    address="1 place de la Mairie\n31320 Démonstration",
    phone="05 61 00 00 00",
    contact_email="factures@example.org",
)
PORTAL = "https://demonstration.example.org"
ROW = InvoiceRow(
    line=2,
    number="2026-001-000001",
    issued_on=date(2026, 10, 1),
    due_on=date(2026, 10, 31),
    amount=Decimal("1037.50"),
    subject="Cantine de septembre",
    fiscal_year=2026,
    reference="2026001000001",
    payer="F0001",
    title="Mme",
    last_name="ŁUKASZEWICZ",
    first_name="Alice",
    address="Résidence du Lac\n1 rue des Écoles",
    postcode="31320",
    city="PECHABOU",
)


def logo(mode: str = "RGBA") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (240, 56), 1 if mode == "1" else "#1f4e79").save(out, "PNG")
    return out.getvalue()


def made(
    *, regie: str = "Régie cantine", online: bool = True, picture: bytes = b"", **changed: object
) -> bytes:
    row = dataclasses.replace(ROW, **changed)  # type: ignore[arg-type]
    return made_document(row, Letterhead.of(TOWN, portal=PORTAL, logo=picture), regie=regie, online=online)


def words(content: bytes) -> str:
    return " ".join(" ".join(texts_of(io.BytesIO(content), [0])).split())


def test_it_says_all_that_billing_said() -> None:
    said = words(made())
    for part in (
        "Mairie de Démonstration",
        "Mme Alice LUKASZEWICZ",  # the standard fonts have no Ł
        "Résidence du Lac",
        "31320 PECHABOU",
        "Facture n° 2026-001-000001",
        "Cantine de septembre",
        "Régie cantine",
        "1er octobre 2026",
        "31 octobre 2026",
        "F0001",
        "2026001000001",
        "1 037,50 €",
        f"Pour payer en ligne : {PORTAL}, avec la référence de paiement 2026001000001.",
        "factures@example.org",
        "Document établi par le portail à partir des données de facturation.",
    ):
        assert part in said


def test_what_cannot_be_paid_online_does_not_say_that_it_can() -> None:
    said = words(made(online=False))
    assert "payer en ligne" not in said
    assert PORTAL in said


def test_what_the_bank_pays_asks_nothing() -> None:
    said = words(made(by_debit=True, debit_on=date(2026, 11, 5)))
    assert "sera prélevée le 5 novembre 2026" in said
    assert "payer en ligne" not in said


@pytest.mark.parametrize("picture", [b"", logo(), logo("1"), b"<svg/>", b"\x89PNG\r\n\x1a\n", b"x" * 100])
def test_the_same_bytes_each_time(picture: bytes) -> None:
    letterhead = Letterhead.of(TOWN, portal=PORTAL, logo=picture)
    one, other = (made_document(ROW, letterhead, regie="R", online=True) for _ in range(2))
    assert one == other == made(regie="R", picture=picture)
    assert pages_of("1.pdf", one) == 1


def test_another_logo_is_not_shared_by_two_towns() -> None:
    ours, theirs = (Letterhead.of(TOWN, portal=PORTAL, logo=logo(mode)) for mode in ("RGBA", "1"))
    alone = made_document(ROW, theirs, regie="R", online=True)
    made_document(ROW, ours, regie="R", online=True)
    assert made_document(ROW, theirs, regie="R", online=True) == alone


def test_its_title_and_its_language() -> None:
    with pikepdf.open(io.BytesIO(made())) as pdf:
        assert str(pdf.Root.Lang) == "fr-FR"
        assert str(pdf.docinfo["/Title"]) == "Facture n° 2026-001-000001 – Mairie de Démonstration"


def test_long_and_strange_texts_stay_on_one_page() -> None:
    content = made(
        subject="Accueil périscolaire " * 7,
        address="\n".join(["Bâtiment très long " * 6] * 6),
        last_name="محمد 😀 Σ",
        regie="R" * 80,
    )
    assert pages_of("1.pdf", content) == 1
