"""« Rapprochement » as a clerk uses it: send, check the columns, import, finish by hand."""

import csv
import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Payment
from tenant_apps.reconciliation import processing
from tenant_apps.reconciliation.models import Line, Statement
from tests.backoffice.conftest import text
from toolkit import clock

QUERIES = 18
NEW = "/gestion/rapprochement/nouveau/"


@pytest.fixture
def bill(people: SimpleNamespace, make_payer: Any, make_invoice: Callable[..., Invoice]) -> Invoice:
    return make_invoice(make_payer(people.alice), amount="37.50")


def send(browser: Any, content: str, *, name: str = "journal.csv", kind: str = "journal") -> str:
    file = SimpleUploadedFile(name, content.encode())
    return str(browser.post(NEW, {"kind": kind, "file": file})["Location"])


def journal(bill: Invoice) -> str:
    day = f"{clock.today():%d/%m/%Y}"
    return f"Jour;Somme;Refdet\n{day};37,50;{bill.reference}\n{day};vingt;X\n{day};9,00;=cmd()\n"


COLUMNS = {"booked_on": "Jour", "amount": "Somme", "reference": "Refdet"}


def test_the_clerk_s_road(browsers: SimpleNamespace, bill: Invoice) -> None:
    page = send(browsers.clerk, journal(bill))
    columns = browsers.clerk.get(page)["Location"]
    shown = text(browsers.clerk.get(columns))
    assert "Dites quelle colonne" in shown
    assert "Le fichier donne" not in shown
    answer = browsers.clerk.post(columns, {"booked_on": "Jour"})
    assert answer.status_code == 422
    assert not Line.objects.exists()
    preview = text(browsers.clerk.post(columns, {"apercu": "1", **COLUMNS}))
    assert "37,50 €" in preview
    assert "« Somme » (« vingt ») n'est pas un montant" in preview
    for _ in range(2):  # a double click
        assert browsers.clerk.post(columns, COLUMNS)["Location"] == page
    assert "Vous pouvez quitter cette page" in text(browsers.clerk.get(page))
    processing.process_waiting()
    assert Line.objects.count() == 3
    assert "1 illisible" in text(browsers.reader.get(page))
    # The same file again leads to the first.
    assert send(browsers.clerk, journal(bill)) == page
    assert Statement.objects.count() == 1


def test_finish_by_hand(browsers: SimpleNamespace, bill: Invoice) -> None:
    page = send(browsers.clerk, journal(bill))
    browsers.clerk.post(f"{page}colonnes/", COLUMNS)
    processing.process_waiting()
    known, bad, other = Line.objects.order_by("id")
    path = f"/gestion/rapprochement/lignes/{known.uuid}/"
    assert "Enregistrer ce règlement" in text(browsers.clerk.get(path))
    assert "Enregistrer ce règlement" not in text(browsers.reader.get(path))
    for _ in range(2):
        browsers.clerk.post(f"{path}enregistrer/", {"invoice": bill.uuid, "means": "card"})
    payment = Payment.objects.get()
    bill.refresh_from_db()
    assert bill.is_paid
    reason = {"reason": "ligne d'une autre commune"}
    for line in (bad, other):
        assert (
            browsers.clerk.post(f"/gestion/rapprochement/lignes/{line.uuid}/ecarter/", {}).status_code == 302
        )
        line.refresh_from_db()
        assert line.state != "ignored"
        browsers.clerk.post(f"/gestion/rapprochement/lignes/{line.uuid}/ecarter/", reason)
    assert "Rien à traiter" in text(browsers.reader.get(page))
    assert "Terminé" in text(browsers.reader.get("/gestion/rapprochement/"))
    browsers.clerk.post(f"{path}rouvrir/")
    browsers.clerk.post(f"{path}associer/", {"payment": payment.uuid})
    known.refresh_from_db()
    assert (known.state, known.payment) == ("matched", payment)


def test_figures_and_the_accountant_s_file(browsers: SimpleNamespace, bill: Invoice) -> None:
    page = send(browsers.clerk, journal(bill))
    browsers.clerk.post(f"{page}colonnes/", COLUMNS)
    processing.process_waiting()
    line = Line.objects.order_by("id")[0]
    browsers.clerk.post(
        f"/gestion/rapprochement/lignes/{line.uuid}/enregistrer/", {"invoice": bill.uuid, "means": "card"}
    )
    assert "Régie cantine" in text(browsers.reader.get("/gestion/rapprochement/journees/"))
    sheet = b"".join(browsers.reader.get("/gestion/rapprochement/encaissements.csv")).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(sheet), delimiter=";")
    assert (row["Montant"], row["Facture"], row["Dans le journal du Trésor"]) == ("37,50", bill.number, "oui")
    wrong = browsers.reader.get("/gestion/rapprochement/journees/?du=2026-12-01&au=2026-11-01")
    assert wrong.status_code == 422
    assert "La fin est avant le début" in text(wrong)
    absents = text(browsers.reader.get("/gestion/rapprochement/absents/"))
    assert "Rien ne manque" in absents
    assert "cmd" in absents


def test_what_is_no_file(browsers: SimpleNamespace) -> None:
    for content, name, words in (
        (b"\x00\x01", "x.csv", "n'est pas un texte lisible"),
        (b"", "x.csv", "est vide"),
        (b"<?xml version='1.0'?><x/>", "x.xml", "choisissez « relevé de compte »"),
    ):
        answer = browsers.clerk.post(NEW, {"kind": "journal", "file": SimpleUploadedFile(name, content)})
        assert answer.status_code == 422
        assert words in text(answer), text(answer)
    assert browsers.clerk.post(NEW, {"kind": "journal"}).status_code == 422
    assert not Statement.objects.exists()


def test_a_broken_xml_is_said_on_its_page(browsers: SimpleNamespace) -> None:
    page = send(browsers.clerk, "<?xml version='1.0'?><Document><x></Document>", name="x.xml", kind="bank")
    browsers.clerk.post(f"{page}colonnes/", {})
    processing.process_waiting()
    answer = browsers.clerk.get(f"{page}colonnes/")
    assert answer.status_code == 422
    assert "coupé ou abîmé" in text(answer)


def test_pages_of_a_new_town_say_why_they_are_empty(browsers: SimpleNamespace) -> None:
    for path, words in (
        ("", "Aucun fichier pour l'instant"),
        ("absents/", "Aucun journal n'a encore été importé"),
        ("journees/", "Rien n'a été encaissé"),
    ):
        assert words in text(browsers.reader.get(f"/gestion/rapprochement/{path}"))


def test_what_the_pages_cost(
    browsers: SimpleNamespace, bill: Invoice, django_assert_max_num_queries: Any
) -> None:
    day = f"{clock.today():%d/%m/%Y}"
    rows = "".join(f"{day};{n},00;{bill.reference if n % 2 else f'REFER{n:04}'}\n" for n in range(1, 121))
    page = send(browsers.clerk, "Jour;Somme;Refdet\n" + rows)
    browsers.clerk.post(f"{page}colonnes/", COLUMNS)
    processing.process_waiting()
    line = Line.objects.order_by("id")[0]
    pages = (
        page,
        "/gestion/rapprochement/",
        "/gestion/rapprochement/absents/",
        "/gestion/rapprochement/journees/",
    )
    for path in (*pages, f"/gestion/rapprochement/lignes/{line.uuid}/"):
        with django_assert_max_num_queries(QUERIES):
            assert browsers.clerk.get(path).status_code == 200
