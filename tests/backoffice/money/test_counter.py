"""« Encaissements »: a clerk records what was paid outside of the portal."""

import re
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.corrections.payments import cancel_payment
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.models import Means, Payment
from tests.backoffice.conftest import text
from tests.backoffice.money.forms import NEW, filled, pdf_text
from tests.backoffice.test_lists import attempt
from toolkit import clock

QUERIES = 16


def test_the_clerk_s_road(browsers: SimpleNamespace, invoices: list[Invoice]) -> None:
    found = browsers.cashier.get(NEW, {"q": "dupré"}).content.decode()
    assert [str(one.uuid) in found for one in invoices] == [True, True, False]
    page = browsers.cashier.get(
        NEW, {"facture": [one.uuid for one in invoices[:2]], "q": "lefèvre"}
    ).content.decode()
    assert [str(one.uuid) in page for one in invoices] == [True, True, True]  # two chosen, one found
    assert 'value="10,00"' in page
    sent = filled(invoices)
    answer = browsers.cashier.post(NEW, sent)
    payment = Payment.objects.get()
    assert answer["Location"] == f"/gestion/encaissements/{payment.uuid}/"
    assert (payment.amount, payment.bank, payment.recorded_by) == (60, "Crédit", payment.recorded_by)
    assert text(browsers.cashier.get(answer["Location"])).count("enregistré") >= 1
    # A double click, or the page sent again an hour later.
    again = browsers.cashier.post(NEW, sent)
    assert again["Location"] == answer["Location"]
    assert "déjà enregistré" in text(browsers.cashier.get(again["Location"]))
    assert Payment.objects.count() == 1


def test_a_cheque_for_two_is_not_booked_as_one(browsers: SimpleNamespace, invoices: list[Invoice]) -> None:
    """One of the two was paid online meanwhile: the cheque on the desk is of 30 €, and must not become one of 20."""
    sent = filled(invoices[:2])
    book_counter_payment(
        actor="system", invoice=invoices[0], means=Means.CASH, amount=Decimal("10"), paid_on=clock.today()
    )
    answer = browsers.cashier.post(NEW, sent)
    assert answer["Location"] == f"{NEW}?facture={invoices[1].uuid}"
    assert "une des factures n'attend plus d'argent" in text(browsers.cashier.get(answer["Location"]))
    assert Payment.objects.count() == 1


def test_a_part_payment_sent_twice_books_once(browsers: SimpleNamespace, invoices: list[Invoice]) -> None:
    sent = filled(invoices[:1], means="cash", **{f"montant_{invoices[0].uuid.hex}": "4"})
    first, again = browsers.cashier.post(NEW, sent), browsers.cashier.post(NEW, sent)
    assert first["Location"] == again["Location"]
    invoices[0].refresh_from_db()
    assert invoices[0].paid == 4


def test_an_online_payment_under_way_is_shown(browsers: SimpleNamespace, invoices: list[Invoice]) -> None:
    """The clerk may book all the same: the money is on the desk. What comes twice is left over, and shown."""
    page = browsers.cashier.get(NEW, {"facture": [invoices[0].uuid]})
    assert "Paiement en cours" not in text(page)
    attempt(invoices[0], "started")
    page = browsers.cashier.get(NEW, {"facture": [invoices[0].uuid]})
    assert "Paiement en cours L'encaisser ici peut la faire payer deux fois." in text(page)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"number": ""}, "Écrivez le numéro du chèque"),
        ({"bank": ""}, "Écrivez la banque du chèque"),
        ({"means": "card"}, "Sélectionnez un choix valide"),
        ({"paid_on": "2999-01-01"}, "Cette date est à venir"),
        ({"paid_on": "hier"}, "Indiquez une date"),
        ({"received": "5"}, "plus petit que le total"),
        ({"amount": "10,01"}, "Il ne reste que 10,00 € sur la facture"),
        ({"amount": "dix"}, "n'est pas un montant"),
        ({"amount": "-3"}, "supérieur à zéro"),
        ({"amount": ""}, "Indiquez un montant"),
        ({"amount": "1,234"}, "plus de deux décimales"),
    ],
)
def test_what_is_not_right_is_said_and_nothing_is_booked(
    browsers: SimpleNamespace, invoices: list[Invoice], wrong: dict[str, str], words: str
) -> None:
    if "amount" in wrong:
        wrong = {f"montant_{invoices[0].uuid.hex}": wrong["amount"]}
    answer = browsers.cashier.post(NEW, filled(invoices, **wrong))
    assert answer.status_code == 422
    assert words in text(answer)
    assert not Payment.objects.exists()


def test_the_same_cheque_is_asked_about(browsers: SimpleNamespace, invoices: list[Invoice]) -> None:
    browsers.cashier.post(NEW, filled(invoices[:1]))
    sent = filled(invoices[1:2], bank="CRÉDIT")
    answer = browsers.cashier.post(NEW, sent)
    assert answer.status_code == 422
    assert "est déjà enregistré (10,00 €" in text(answer)
    assert browsers.cashier.post(NEW, {**sent, "other": "on"}).status_code == 302


def test_the_receipt_is_ours_and_never_a_quittance(
    browsers: SimpleNamespace, invoices: list[Invoice]
) -> None:
    browsers.cashier.post(NEW, filled(invoices, drawer="Mme DUPRÉ", received="61"))
    payment = Payment.objects.get()
    path = f"/gestion/encaissements/{payment.uuid}/justificatif.pdf"
    first = browsers.reader.get(path)
    assert first["Content-Type"] == "application/pdf"
    words = pdf_text(first.content)
    for wanted in ("Justificatif de paiement", "61,00 €", "Mme DUPRÉ", "chèque n° 0000123, Crédit", "Lukasz"):
        assert wanted in words, words
    assert "1,00 € ne sont affectés à aucune facture" in words
    assert "quittance" not in words.lower()
    assert browsers.reader.get(path).content == first.content
    cancel_payment(actor="system", payment=payment, reason="chèque impayé")
    assert "ANNULÉ le" in pdf_text(browsers.reader.get(path).content)


def test_pages_of_a_new_town_say_why_they_are_empty(browsers: SimpleNamespace) -> None:
    for path, words in (
        ("encaissements/", "Rien n'a encore été reçu"),
        ("encaissements/trop-percus/", "Aucun trop-perçu"),
        ("encaissements/declarations/", "Aucune déclaration"),
        ("encaissements/?q=rien", "Aucun règlement ne correspond"),
        ("encaissements/nouveau/?q=rien", "Aucune facture à régler ne correspond"),
        ("remises/", "Aucune remise"),
        ("remises/nouvelle/?moyen=especes", "Aucune espèce"),
    ):
        assert words in text(browsers.manager.get(f"/gestion/{path}")), path


def test_what_the_pages_cost(
    browsers: SimpleNamespace, make_payer: Any, make_invoice: Any, django_assert_max_num_queries: Any
) -> None:
    """The same number of statements for one row and for sixty."""
    for _ in range(60):
        invoice = make_invoice(make_payer(), amount="10")
        book_counter_payment(
            actor="system", invoice=invoice, means=Means.CHEQUE, amount=Decimal("12"), paid_on=clock.today()
        )
        make_invoice(invoice.payer, amount="10")
    docket = Payment.objects.order_by("id")[:40]
    pages = [
        *("encaissements/", "encaissements/?q=martin+2026", "encaissements/trop-percus/"),
        *(
            "remises/nouvelle/",
            "remises/",
            "encaissements/nouveau/?q=martin",
            f"encaissements/{docket[0].uuid}/",
        ),
        "encaissements/nouveau/?"
        + "&".join(f"facture={one.uuid}" for one in Invoice.objects.order_by("-id")[:30]),
    ]
    for path in pages:
        with django_assert_max_num_queries(QUERIES):
            assert browsers.manager.get(f"/gestion/{path}").status_code == 200, path
    first = browsers.manager.get("/gestion/encaissements/").content.decode()
    following = re.search(r'\?apres=([0-9a-f-]+)" *>|apres=([0-9a-f-]{36})', first)
    assert following, "sixty rows are more than a page"


def test_homonyms_are_told_apart_by_street_and_code(
    browsers: SimpleNamespace, invoices: list[Invoice], of_water: Invoice
) -> None:
    page = text(browsers.cashier.get(NEW, {"q": "dupré"}))
    groups = page.split("Alice DUPRÉ")
    first, second = invoices[0].payer.reference, of_water.payer.reference
    assert f"code {first}" in page
    assert f"3 rue du Moulin, Agen · code {second}" in page
    assert page.index(f"code {first}") < page.index(invoices[1].number) < page.index(f"code {second}")
    assert len(groups) > 2
    assert "Régie eau" in page, "with several régies, each invoice says its own"


def test_two_regies_are_refused_in_words(
    browsers: SimpleNamespace, invoices: list[Invoice], of_water: Invoice
) -> None:
    answer = browsers.cashier.post(NEW, filled([invoices[0], of_water]))
    assert answer.status_code == 422
    assert "plusieurs régies (Régie cantine, Régie eau)" in text(answer)
    assert not Payment.objects.exists()


def test_cash_above_the_limit_is_refused_on_the_form(
    browsers: SimpleNamespace, invoices: list[Invoice]
) -> None:
    assert "300,00 € au plus" in text(browsers.cashier.get(NEW, {"facture": [invoices[0].uuid]}))
    answer = browsers.cashier.post(NEW, filled(invoices[:1], means="cash", received="300,01"))
    assert answer.status_code == 422
    assert "article 1680" in text(answer)
    assert not Payment.objects.exists()
