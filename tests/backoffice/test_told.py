"""« Qui sera prévenu »: the page, its file, the letters, and the mails of an import."""

import io
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pikepdf
import pytest
from django.test import Client
from PIL import Image

from shared_apps.accounts.models import Role
from shared_apps.mail.models import OutgoingMail
from tenant_apps.backoffice.views import told as views
from tenant_apps.invoices.models import Batch
from tenant_apps.notices.services import queue_planned
from tenant_apps.products.services import limit_member, set_up_product
from tenant_apps.townhall.services import change_logo, change_townhall
from tenants.models import Town
from tests.invoices.importing.batches import online, publish, run, sentences
from tests.invoices.importing.bills import HEADER, bill

LINES = (
    bill("G1", "K1", "ADAM", "Zoé", email="", street="12 rue des Écoles"),
    bill("G2", "K1", "ADAM", "Zoé", email="", street="12 rue des Écoles", amount="1 012,40"),
    bill("G3", "K2", "BRUN", "Luc", email="luc@example.net"),
)


@pytest.fixture
def batch(town: Town) -> Batch:
    change_townhall(actor="system", alert_audience="known", phone="05 00 00 00 00")
    return run(HEADER, *LINES)


@pytest.fixture
def clerk(batch: Batch, make_account: Any, client_for: Callable[..., Client]) -> Client:
    return client_for(make_account("clerk@example.net", role=Role.CLERK))


def page(client: Client, batch: Batch, rest: str = "", **query: Any) -> Any:
    return client.get(f"/gestion/imports/{batch.uuid}/prevenus/{rest}", query)


def words(client: Client, batch: Batch, **query: Any) -> str:
    answer = page(client, batch, **query)
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def letters(client: Client, batch: Batch, **query: Any) -> list[str]:
    """The texts of each page."""
    answer = page(client, batch, "courriers.pdf", **query)
    assert answer["Content-Type"] == "application/pdf"
    with pikepdf.open(io.BytesIO(b"".join(answer.streaming_content))) as pdf:
        assert pdf.Root.MarkInfo.Marked
        assert str(pdf.Root.Lang) == "fr-FR"
        assert [float(side) for side in pdf.pages[0].mediabox][2:] == pytest.approx([595.28, 841.89], abs=0.1)
        return [
            " ".join(
                bytes(operands[0]).decode("cp1252")
                for operands, operator in pikepdf.parse_content_stream(one)
                if str(operator) == "Tj"
            ).replace("\xa0", " ")
            for one in pdf.pages
        ]


def test_before_the_publication(clerk: Client, batch: Batch) -> None:
    shown = words(clerk, batch)
    assert "<strong>1</strong> courriel partira" in shown
    assert "<strong>1</strong> redevable sera prévenu" in shown
    assert "<strong>1</strong> redevable ne sera pas prévenu" in shown
    assert "Zoé ADAM" in shown
    assert "12 rue des Écoles, 31320 Pechabou" in shown
    assert "Aucune adresse e-mail" in shown
    assert "BRUN" not in shown
    assert "Imprimer le courrier" in shown


def test_the_file(clerk: Client, batch: Batch) -> None:
    answer = page(clerk, batch, "sans-courriel.csv")
    _titles, line = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert line == "K1;Zoé ADAM;12 rue des Écoles;31320;Pechabou;2;1049,90;aucune adresse e-mail"


def test_the_letter(clerk: Client, batch: Batch) -> None:
    (letter,) = letters(clerk, batch)
    for said in (
        *("Zoé ADAM", "12 rue des Écoles", "31320 Pechabou", "2 factures à votre nom"),
        *("G1", "37,50 €", "G2", "1 012,40 €", "31/12/2026", "mairie.localhost", "05 00 00 00 00"),
        *("Utilisez une facture papier", "le numéro G1", "paiement"),
    ):
        assert said in letter, letter
    assert "BRUN" not in letter
    assert "G3" not in letter


def test_the_address_is_in_the_window(clerk: Client, batch: Batch) -> None:
    answer = page(clerk, batch, "courriers.pdf")
    with pikepdf.open(io.BytesIO(b"".join(answer.streaming_content))) as pdf:
        places = {}
        for operands, operator in pikepdf.parse_content_stream(pdf.pages[0]):
            if str(operator) == "Td":
                place = [float(value) / 72 * 25.4 for value in operands]
            elif str(operator) == "Tj":
                places.setdefault(bytes(operands[0]).decode("cp1252"), place)
    for line in ("Zoé ADAM", "12 rue des Écoles", "31320 Pechabou"):
        left, below = places[line]
        assert left == pytest.approx(110, abs=0.5)
        assert 45 < 297 - below < 85


def test_a_town_without_proof_by_paper_says_another_way(clerk: Client, batch: Batch) -> None:
    change_townhall(actor="system", payer_claims="off")
    (letter,) = letters(clerk, batch)
    assert "facture papier" not in letter
    assert "Demandez au service de facturation" in letter


def test_a_logo_and_a_drawing(clerk: Client, batch: Batch) -> None:
    out = io.BytesIO()
    Image.new("RGBA", (300, 100), (200, 20, 20, 120)).save(out, "PNG")
    change_logo(actor="system", content=out.getvalue())
    assert len(letters(clerk, batch)) == 1
    change_logo(
        actor="system",
        content=b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><rect width="9" height="9"/></svg>',
    )
    assert len(letters(clerk, batch)) == 1


def test_names_that_no_font_has_and_long_ones(clerk: Client, town: Town) -> None:
    lines = [bill("H1", "L1", "ŁUKASZEWSKI" * 3, "Ωmega", email="", street="rue " * 9, city="Ville " * 5)]
    lines += [bill(f"I{n}", "L2", "MANY", "Zoé", email="") for n in range(20)]
    other = run(HEADER, *lines)
    assert other.state == "ready", sentences(other)
    first, second = sorted(letters(clerk, other), key=lambda text: "20 factures" in text)
    assert "LUKASZEWSKI" in first
    assert "8 autres factures" in second


def test_many_lots(clerk: Client, batch: Batch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "MOST", 2)
    other = run(HEADER, *(bill(f"J{n}", f"M{n}", f"NOM{n}", email="") for n in range(5)))
    shown = words(clerk, other)
    assert "Imprimer les courriers 1 à 2" in shown
    assert "courriers.pdf?lot=3" in shown
    (last,) = letters(clerk, other, lot=3)
    assert "NOM4" in last
    for wrong in ("4", "0", "x", "99999999", "-1"):
        assert page(clerk, other, "courriers.pdf", lot=wrong).status_code in (200, 302)


def test_pages_of_the_list(clerk: Client, batch: Batch) -> None:
    other = run(HEADER, *(bill(f"J{n}", f"M{n:02}", f"NOM{n:02}", email="") for n in range(60)))
    assert "NOM49" in words(clerk, other)
    second = words(clerk, other, page=2)
    assert "NOM50" in second
    assert "NOM49" not in second


def test_a_reader_sees_and_prints_nothing(batch: Batch, make_account: Any, client_for: Any) -> None:
    reader = client_for(make_account("reader@example.net", role=Role.READER))
    shown = words(reader, batch)
    assert "Zoé ADAM" in shown
    assert "courriers.pdf" not in shown
    assert page(reader, batch, "courriers.pdf").status_code == 403


def test_of_another_regie_it_is_absent(batch: Batch, make_account: Any, client_for: Any) -> None:
    member = make_account("pool@example.net", role=Role.CLERK)
    pool = set_up_product(actor="system", code="PISCINE", label="Piscine")
    limit_member(actor="system", account=member, products=[pool])
    member.refresh_from_db()
    browser = client_for(member)
    for rest in ("", "sans-courriel.csv", "courriers.pdf"):
        assert page(browser, batch, rest).status_code == 404
    assert browser.get("/gestion/courriels/", {"import": str(batch.uuid)}).status_code == 404


def test_after_the_publication_what_left_is_said(clerk: Client, batch: Batch) -> None:
    publish(batch)
    assert "1 courriel attend son départ" in words(clerk, batch)
    queue_planned()
    OutgoingMail.objects.update(state="sent")
    shown = words(clerk, batch)
    assert "Qui a été prévenu" in shown
    assert "1 courriel est parti." in shown
    assert "<strong>1</strong> redevable n'a pas été prévenu" in shown
    assert "partira" not in shown
    OutgoingMail.objects.update(state="failed")
    assert "1 courriel n'est pas parti." in words(clerk, batch)
    other = online(HEADER, bill("G9", "K9", "PETIT", "Eva", email="eva@example.net"))
    queue_planned()
    for one, (here, elsewhere) in (
        (batch, ("luc@example.net", "eva@example.net")),
        (other, ("eva@example.net", "luc@example.net")),
    ):
        mails = clerk.get("/gestion/courriels/", {"import": str(one.uuid)}).content.decode()
        assert here in mails
        assert elsewhere not in mails


@pytest.mark.parametrize("wrong", ["x", "00000000-0000-0000-0000-000000000000"])
def test_an_import_that_is_not_there(clerk: Client, wrong: str) -> None:
    assert clerk.get("/gestion/courriels/", {"import": wrong}).status_code == 404


def test_nobody_to_write_to_and_an_import_that_is_not_read(clerk: Client, batch: Batch) -> None:
    told = run(HEADER, bill("G5", "K5", "PETIT", "Eva", email="eva@example.net"))
    assert "est prévenu par courriel" in words(clerk, told)
    assert page(clerk, told, "courriers.pdf").status_code == 302
    refused = run(HEADER, bill("G6", "K6", amount="douze"))
    for rest in ("", "sans-courriel.csv", "courriers.pdf"):
        assert page(clerk, refused, rest).status_code == 302
    missing = Batch(uuid=uuid4())
    assert page(clerk, missing).status_code == 404
