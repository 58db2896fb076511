"""« Rapprochement » as a clerk uses it: send, check the columns, import, finish by hand."""

import csv
import html
import io
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.storage import storages
from django.core.files.uploadedfile import SimpleUploadedFile

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.models import Payment
from tenant_apps.reconciliation.models import Statement, StatementRow
from tenant_apps.reconciliation.statements import processing, services
from tests.backoffice.conftest import text
from toolkit import clock

QUERIES = 18
NEW = "/gestion/rapprochement/nouveau/"


@pytest.fixture
def invoice(people: SimpleNamespace, make_payer: Any, make_invoice: Callable[..., Invoice]) -> Invoice:
    return make_invoice(make_payer(people.alice), amount="37.50")


def send(browser: Any, content: str, *, name: str = "journal.csv", kind: str = "journal") -> str:
    file = SimpleUploadedFile(name, content.encode())
    return str(browser.post(NEW, {"kind": kind, "file": file})["Location"])


def journal(invoice: Invoice) -> str:
    day = f"{clock.today():%d/%m/%Y}"
    return f"Jour;Somme;Refdet\n{day};37,50;{invoice.reference}\n{day};vingt;X\n{day};9,00;=cmd()\n"


COLUMNS = {"booked_on": "Jour", "amount": "Somme", "reference": "Refdet"}


def test_the_clerk_s_road(browsers: SimpleNamespace, invoice: Invoice) -> None:
    page = send(browsers.cashier, journal(invoice))
    columns = browsers.cashier.get(page)["Location"]
    shown = text(browsers.cashier.get(columns))
    assert "Dites quelle colonne" in shown
    assert "Le fichier donne" not in shown
    answer = browsers.cashier.post(columns, {"booked_on": "Jour"})
    assert answer.status_code == 422
    assert not StatementRow.objects.exists()
    preview = text(browsers.cashier.post(columns, {"apercu": "1", **COLUMNS}))
    assert "37,50 €" in preview
    assert "« Somme » (« vingt ») n'est pas un montant" in preview
    for _ in range(2):  # a double click
        assert browsers.cashier.post(columns, COLUMNS)["Location"] == page
    assert "Vous pouvez quitter cette page" in text(browsers.cashier.get(page))
    processing.process_waiting()
    assert StatementRow.objects.count() == 3
    assert "1 illisible" in text(browsers.reader.get(page))
    # The same file again leads to the first.
    assert send(browsers.cashier, journal(invoice)) == page
    assert Statement.objects.count() == 1


def test_finish_by_hand(browsers: SimpleNamespace, invoice: Invoice) -> None:
    page = send(browsers.cashier, journal(invoice))
    browsers.cashier.post(f"{page}colonnes/", COLUMNS)
    processing.process_waiting()
    known, bad, other = StatementRow.objects.order_by("id")
    path = f"/gestion/rapprochement/lignes/{known.uuid}/"
    assert "Enregistrer ce règlement" in text(browsers.cashier.get(path))
    assert "Enregistrer ce règlement" not in text(browsers.reader.get(path))
    for _ in range(2):
        browsers.cashier.post(f"{path}enregistrer/", {"invoice": invoice.uuid, "means": "card"})
    payment = Payment.objects.get()
    invoice.refresh_from_db()
    assert invoice.is_paid
    reason = {"reason": "ligne d'une autre commune"}
    for row in (bad, other):
        assert (
            browsers.cashier.post(f"/gestion/rapprochement/lignes/{row.uuid}/ecarter/", {}).status_code == 302
        )
        row.refresh_from_db()
        assert row.state != "ignored"
        browsers.cashier.post(f"/gestion/rapprochement/lignes/{row.uuid}/ecarter/", reason)
    assert "Rien à traiter" in text(browsers.reader.get(page))
    assert "Terminé" in text(browsers.reader.get("/gestion/rapprochement/"))
    browsers.cashier.post(f"{path}rouvrir/")
    browsers.cashier.post(f"{path}associer/", {"payment": payment.uuid})
    known.refresh_from_db()
    assert (known.state, known.payment) == ("matched", payment)


def test_figures_and_the_accountant_s_file(browsers: SimpleNamespace, invoice: Invoice) -> None:
    page = send(browsers.cashier, journal(invoice))
    browsers.cashier.post(f"{page}colonnes/", COLUMNS)
    processing.process_waiting()
    row = StatementRow.objects.order_by("id")[0]
    browsers.cashier.post(
        f"/gestion/rapprochement/lignes/{row.uuid}/enregistrer/", {"invoice": invoice.uuid, "means": "card"}
    )
    assert "Régie cantine" in text(browsers.reader.get("/gestion/rapprochement/journees/"))
    sheet = b"".join(browsers.reader.get("/gestion/rapprochement/encaissements.csv")).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(sheet), delimiter=";")
    assert (row["Montant"], row["Facture"], row["Dans le journal du Trésor"]) == (
        "37,50",
        invoice.number,
        "oui",
    )
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
        answer = browsers.cashier.post(NEW, {"kind": "journal", "file": SimpleUploadedFile(name, content)})
        assert answer.status_code == 422
        assert words in text(answer), text(answer)
    assert browsers.cashier.post(NEW, {"kind": "journal"}).status_code == 422
    assert not Statement.objects.exists()


def test_a_broken_xml_is_said_on_its_page(browsers: SimpleNamespace) -> None:
    page = send(browsers.cashier, "<?xml version='1.0'?><Document><x></Document>", name="x.xml", kind="bank")
    browsers.cashier.post(f"{page}colonnes/", {})
    processing.process_waiting()
    answer = browsers.cashier.get(f"{page}colonnes/")
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
    browsers: SimpleNamespace, invoice: Invoice, django_assert_max_num_queries: Any
) -> None:
    day = f"{clock.today():%d/%m/%Y}"
    rows = "".join(f"{day};{n},00;{invoice.reference if n % 2 else f'REFER{n:04}'}\n" for n in range(1, 121))
    page = send(browsers.cashier, "Jour;Somme;Refdet\n" + rows)
    browsers.cashier.post(f"{page}colonnes/", COLUMNS)
    processing.process_waiting()
    row = StatementRow.objects.order_by("id")[0]
    pages = (
        page,
        "/gestion/rapprochement/",
        "/gestion/rapprochement/absents/",
        "/gestion/rapprochement/journees/",
    )
    for path in (*pages, f"/gestion/rapprochement/lignes/{row.uuid}/"):
        with django_assert_max_num_queries(QUERIES):
            assert browsers.cashier.get(path).status_code == 200


def bring(browser: Any, content: str, *, kind: str = "journal", **columns: str) -> Statement:
    """Sent, imported as the page proposes it (or with `columns`), read by the worker."""
    page = send(browser, content, kind=kind, name=f"{kind}.csv")
    shown = browser.get(f"{page}colonnes/").content.decode()
    chosen = dict(
        re.findall(
            r'<select name="(\w+)"[^>]*>(?:(?!</select>).)*?value="([^"]+)" selected', shown, re.DOTALL
        )
    )
    browser.post(
        f"{page}colonnes/", {**{name: html.unescape(value) for name, value in chosen.items()}, **columns}
    )
    processing.process_waiting()
    return Statement.objects.latest("id")


def paid_journal(invoice: Invoice, *rows: tuple[str, str]) -> str:
    day = f"{clock.today():%d/%m/%Y}"
    return "Date;Montant;Refdet;Résultat\n" + "".join(
        f"{day};{amount};{invoice.reference};{word}\n" for amount, word in rows
    )


def test_columns_corrected_on_the_page_are_those_of_the_import(
    browsers: SimpleNamespace, invoice: Invoice
) -> None:
    """One form: whatever is chosen when « Importer » is pressed counts, with or without the preview."""
    day = f"{clock.today():%d/%m/%Y}"
    text_ = f"Date;Montant;Frais;Refdet\n{day};1,50;37,50;{invoice.reference}\n"
    statement = bring(browsers.cashier, text_, amount="Frais")
    assert statement.rows.get().amount == invoice.amount
    assert statement.mapping["amount"] == "Frais"


def test_the_separator_and_the_titles_can_be_corrected(browsers: SimpleNamespace) -> None:
    page = send(browsers.cashier, "x|y\na|b;c|d\n25/11/2026|x;y|7,00\n", kind="bank", name="r.csv")
    path = f"{page}colonnes/"
    shown = text(browsers.cashier.get(path))
    assert "Les titres ne sont pas les bons ?" in shown
    layout = {"delimiter": "|", "titles_line": "2", "titles": "of other titles"}
    answer = text(browsers.cashier.post(path, {**layout, "booked_on": "a", "amount": "d"}))
    assert "b;c" in answer  # the new titles, to choose among: nothing was imported with the old ones
    assert not StatementRow.objects.exists()
    titles = re.search(r'name="titles" value="(\w+)"', browsers.cashier.post(path, layout).content.decode())
    assert titles is not None
    chosen = {**layout, "titles": titles[1], "booked_on": "a", "amount": "d", "label": "b;c"}
    assert browsers.cashier.post(path, chosen)["Location"] == page
    processing.process_waiting()
    assert StatementRow.objects.get().label == "x;y"
    wrong = browsers.cashier.post(
        f"{send(browsers.cashier, 'u;v', kind='bank', name='s.csv')}colonnes/", {"titles_line": "99"}
    )
    assert wrong.status_code == 422


def test_an_account_is_asked_for_when_the_town_has_several(browsers: SimpleNamespace) -> None:
    day = f"{clock.today():%d/%m/%Y}"
    first = f"Compte 00011111111\n\nDate;Libellé;Montant\n{day};REMISE;9,00\n"
    bring(browsers.cashier, first, kind="bank", which_account="00011111111")
    page = send(browsers.cashier, f"Date;Libellé;Montant\n{day};REMISE;9,00\n", kind="bank", name="b.csv")
    chosen = {"booked_on": "Date", "label": "Libellé", "amount": "Montant"}
    refused = browsers.cashier.post(f"{page}colonnes/", chosen)
    assert refused.status_code == 422
    assert "Dites de quel compte" in text(refused)
    assert "Déjà envoyés : 00011111111." in text(refused)
    browsers.cashier.post(f"{page}colonnes/", {**chosen, "which_account": "Piscine"})
    processing.process_waiting()
    assert StatementRow.objects.exclude(state="known").count() == 2


def test_paid_twice_is_booked_from_its_line(browsers: SimpleNamespace, invoice: Invoice) -> None:
    statement = bring(browsers.cashier, paid_journal(invoice, ("37,50", "P"), ("37,50", "P")))
    first, second = statement.rows.order_by("id")
    for row in (first, second):
        path = f"/gestion/rapprochement/lignes/{row.uuid}/"
        found = text(browsers.cashier.get(f"{path}?facture={invoice.number}"))
        assert f"{invoice.number} – " in found  # found by its number, whatever it still owes
        browsers.cashier.post(f"{path}enregistrer/", {"invoice": invoice.uuid, "means": "card"})
    assert sorted(Payment.objects.values_list("unallocated", flat=True)) == [0, invoice.amount]
    third = bring(
        browsers.cashier,
        paid_journal(invoice, ("37,50", "P"))
        + "\n" * 2
        + paid_journal(invoice, ("7,00", "P")).split("\n")[1],
    )
    row = third.rows.get(amount=7)
    shown = text(browsers.cashier.get(f"/gestion/rapprochement/lignes/{row.uuid}/"))
    assert "déjà réglée : 7,00 € resteront en trop-perçu" in shown
    assert "Enregistrer en trop-perçu" in shown


def test_money_taken_back_is_shown_beside_its_payment(browsers: SimpleNamespace, invoice: Invoice) -> None:
    statement = bring(browsers.cashier, paid_journal(invoice, ("37,50", "P")))
    path = f"/gestion/rapprochement/lignes/{statement.rows.get().uuid}/"
    browsers.cashier.post(f"{path}enregistrer/", {"invoice": invoice.uuid, "means": "card"})
    back = bring(browsers.cashier, paid_journal(invoice, ("-37,50", "Impayé"))).rows.get()
    path, payment = f"/gestion/rapprochement/lignes/{back.uuid}/", Payment.objects.get()
    shown = text(browsers.cashier.get(path))
    assert "revenu impayé : annulez-le ? Motif : Impayé." in shown
    assert "Seul un responsable" in shown
    assert "Enregistrer ce règlement" not in shown
    browsers.cashier.post(f"{path}reprise/", {"payment": payment.uuid})
    invoice.refresh_from_db()
    assert invoice.is_paid
    assert "sera de nouveau à régler" in text(browsers.manager.get(path))
    for _ in range(2):
        browsers.manager.post(f"{path}reprise/", {"payment": payment.uuid})
    invoice.refresh_from_db()
    payment.refresh_from_db()
    assert invoice.balance == invoice.amount
    assert "Impayé" in payment.cancel_reason


def test_an_import_is_undone_and_its_file_deleted(browsers: SimpleNamespace, invoice: Invoice) -> None:
    statement = bring(browsers.cashier, paid_journal(invoice, ("37,50", "P")))
    page = f"/gestion/rapprochement/{statement.uuid}/"
    assert "Retirer cet import" in text(browsers.cashier.get(page))
    assert "Retirer cet import" not in text(browsers.reader.get(page))
    browsers.cashier.post(f"{page}supprimer/")
    assert StatementRow.objects.exists()
    browsers.cashier.post(f"{page}retirer/")
    shown = text(browsers.cashier.get(f"{page}colonnes/"))
    assert "Cet import a été retiré le" in shown
    assert not StatementRow.objects.exists()
    assert "Import retiré" in text(browsers.reader.get("/gestion/rapprochement/"))
    browsers.cashier.post(f"{page}supprimer/")
    assert not Statement.objects.exists()
    assert browsers.cashier.get(page).status_code == 404


def test_how_far_a_reading_is(browsers: SimpleNamespace, invoice: Invoice) -> None:
    page = send(browsers.cashier, paid_journal(invoice, ("37,50", "P")))
    statement = Statement.objects.get()
    change = {
        "state": "reading",
        "step": "matching",
        "done": 120_000,
        "total": 200_000,
        "beat_at": clock.now(),
    }
    Statement.objects.filter(pk=statement.pk).update(**change)
    shown = text(browsers.reader.get(page))
    assert "Rapprochement de chaque ligne : 120 000 sur 200 000" in shown.replace("\u202f", " ")
    assert "Vous pouvez quitter cette page" in shown
    fragment = browsers.reader.get(f"{page}avancement/")
    assert "120" in text(fragment)
    Statement.objects.filter(pk=statement.pk).update(
        state="failed", problem="La lecture s'est interrompue trois fois de suite."
    )
    assert browsers.reader.get(f"{page}avancement/")["HX-Refresh"] == "true"
    assert "trois fois de suite" in text(browsers.reader.get(page))
    assert "Lecture interrompue" in text(browsers.reader.get("/gestion/rapprochement/"))
    assert "Essayer de nouveau" in text(browsers.cashier.get(page))


def test_a_day_without_movement_is_done(browsers: SimpleNamespace) -> None:
    statement = bring(browsers.cashier, "Date;Libellé;Montant\n", kind="bank", which_account="")
    assert "Aucun mouvement" in text(browsers.reader.get(f"/gestion/rapprochement/{statement.uuid}/"))
    assert "Aucun mouvement" in text(browsers.reader.get("/gestion/rapprochement/"))


def test_an_equal_line_is_shown_beside_the_other_and_a_clerk_says(browsers: SimpleNamespace) -> None:
    day = f"{clock.today():%d/%m/%Y}"
    one = f"Date;Libellé;Montant\n{day};REMISE CB;9,00\n"
    chosen = {"booked_on": "Date", "label": "Libellé", "amount": "Montant"}
    pages = []
    for name in ("matin.csv", "soir.csv"):
        pages.append(send(browsers.cashier, one, kind="bank", name=name))
        browsers.cashier.post(f"{pages[-1]}colonnes/", chosen)
        processing.process_waiting()
    shown = text(browsers.reader.get(pages[1]))
    assert "1 ligne est égale à celle d'un autre fichier" in shown
    assert "Déjà connue ?" in shown
    assert "égale à celle" not in text(browsers.reader.get(pages[0]))
    path = f"/gestion/rapprochement/lignes/{StatementRow.objects.latest('id').uuid}/"
    shown = text(browsers.cashier.get(path))
    assert shown.count("REMISE CB") >= 2
    assert "matin.csv, ligne 2" in shown
    assert "soir.csv, ligne 2" in shown
    assert "C'est la même opération" not in text(browsers.reader.get(path))
    browsers.cashier.post(f"{path}jumelle/", {"which": "same"})
    shown = text(browsers.reader.get(f"{pages[1]}?etat=connues"))
    assert "Déjà apportée par un autre fichier" in shown
    assert "0 ligne nouvelle, 1 déjà connue" in shown
    browsers.cashier.post(f"{path}jumelle/", {"which": "other"})
    assert StatementRow.objects.latest("id").state == "unmatched"


def test_a_file_that_is_gone_is_sent_again_and_goes_on(browsers: SimpleNamespace, invoice: Invoice) -> None:
    """« Envoyez-le de nouveau » led to the broken file, for ever."""
    page = send(browsers.cashier, paid_journal(invoice, ("37,50", "P")))
    statement = Statement.objects.get()
    storages["documents"].delete(statement.key)
    services.ask_import(actor="clerk", statement=statement, mapping=statement.mapping)
    processing.process_waiting()
    shown = text(browsers.cashier.get(page))
    assert "n'est plus dans l'espace de stockage : envoyez-le de nouveau." in shown
    assert "déjà gardée" not in shown
    assert send(browsers.cashier, paid_journal(invoice, ("37,50", "P"))) == page
    assert "il y est de nouveau" in text(browsers.cashier.get(page))
    processing.process_waiting()
    assert Statement.objects.get().state == "done"
    assert StatementRow.objects.count() == 1
    send(browsers.cashier, paid_journal(invoice, ("37,50", "P")))
    assert "rien n'a changé" in text(browsers.cashier.get(page))
