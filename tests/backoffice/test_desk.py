"""« Encaissements » and « Remises »: the counter as a clerk uses it, and who may do what there."""

import csv
import io
import re
import uuid
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pikepdf
import pytest

from tenant_apps.invoices.models import Credit, Invoice
from tenant_apps.payments.corrections.payments import cancel_payment, record_refund
from tenant_apps.payments.counter.booking import (
    CounterRow,
    PaymentDetails,
    book_counter_payment,
    book_payment,
)
from tenant_apps.payments.models import Deposit, Means, Payment, Refund
from tenant_apps.payments.online.paying import declare_paid
from tenant_apps.products.models import Product
from tests.backoffice.conftest import text
from tests.backoffice.test_lists import attempt
from toolkit import clock

QUERIES = 16
NEW = "/gestion/encaissements/nouveau/"


@pytest.fixture
def bills(people: SimpleNamespace, make_payer: Any, make_invoice: Callable[..., Invoice]) -> list[Invoice]:
    """Alice's household owes 10 and 20 €, another 30 €."""
    alice = make_payer(people.alice, last_name="DUPRÉ", first_name="Alice")
    other = make_payer(last_name="LEFÈVRE", first_name="Łukasz")
    return [
        make_invoice(alice, amount="10"),
        make_invoice(alice, amount="20"),
        make_invoice(other, amount="30"),
    ]


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


def test_the_clerk_s_road(browsers: SimpleNamespace, bills: list[Invoice]) -> None:
    found = browsers.clerk.get(NEW, {"q": "dupré"}).content.decode()
    assert [str(one.uuid) in found for one in bills] == [True, True, False]
    page = browsers.clerk.get(
        NEW, {"facture": [one.uuid for one in bills[:2]], "q": "lefèvre"}
    ).content.decode()
    assert [str(one.uuid) in page for one in bills] == [True, True, True]  # two chosen, one found
    assert 'value="10,00"' in page
    sent = filled(bills)
    answer = browsers.clerk.post(NEW, sent)
    payment = Payment.objects.get()
    assert answer["Location"] == f"/gestion/encaissements/{payment.uuid}/"
    assert (payment.amount, payment.bank, payment.recorded_by) == (60, "Crédit", payment.recorded_by)
    assert text(browsers.clerk.get(answer["Location"])).count("enregistré") >= 1
    # A double click, or the page sent again an hour later.
    again = browsers.clerk.post(NEW, sent)
    assert again["Location"] == answer["Location"]
    assert "déjà enregistré" in text(browsers.clerk.get(again["Location"]))
    assert Payment.objects.count() == 1


def test_a_cheque_for_two_is_not_booked_as_one(browsers: SimpleNamespace, bills: list[Invoice]) -> None:
    """One of the two was paid online meanwhile: the cheque on the desk is of 30 €, and must not become one of 20."""
    sent = filled(bills[:2])
    book_counter_payment(
        actor="system", invoice=bills[0], means=Means.CASH, amount=Decimal("10"), paid_on=clock.today()
    )
    answer = browsers.clerk.post(NEW, sent)
    assert answer["Location"] == f"{NEW}?facture={bills[1].uuid}"
    assert "une des factures n'attend plus d'argent" in text(browsers.clerk.get(answer["Location"]))
    assert Payment.objects.count() == 1


def test_a_part_payment_sent_twice_books_once(browsers: SimpleNamespace, bills: list[Invoice]) -> None:
    sent = filled(bills[:1], means="cash", **{f"montant_{bills[0].uuid.hex}": "4"})
    first, again = browsers.clerk.post(NEW, sent), browsers.clerk.post(NEW, sent)
    assert first["Location"] == again["Location"]
    bills[0].refresh_from_db()
    assert bills[0].paid == 4


def test_an_online_payment_under_way_is_shown(browsers: SimpleNamespace, bills: list[Invoice]) -> None:
    """The clerk may book all the same: the money is on the desk. What comes twice is left over, and shown."""
    page = browsers.clerk.get(NEW, {"facture": [bills[0].uuid]})
    assert "Paiement en cours" not in text(page)
    attempt(bills[0], "started")
    page = browsers.clerk.get(NEW, {"facture": [bills[0].uuid]})
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
    browsers: SimpleNamespace, bills: list[Invoice], wrong: dict[str, str], words: str
) -> None:
    if "amount" in wrong:
        wrong = {f"montant_{bills[0].uuid.hex}": wrong["amount"]}
    answer = browsers.clerk.post(NEW, filled(bills, **wrong))
    assert answer.status_code == 422
    assert words in text(answer)
    assert not Payment.objects.exists()


def test_the_same_cheque_is_asked_about(browsers: SimpleNamespace, bills: list[Invoice]) -> None:
    browsers.clerk.post(NEW, filled(bills[:1]))
    sent = filled(bills[1:2], bank="CRÉDIT")
    answer = browsers.clerk.post(NEW, sent)
    assert answer.status_code == 422
    assert "est déjà enregistré (10,00 €" in text(answer)
    assert browsers.clerk.post(NEW, {**sent, "other": "on"}).status_code == 302


def test_more_than_due_is_left_over_then_spent_or_given_back(
    browsers: SimpleNamespace, bills: list[Invoice]
) -> None:
    browsers.clerk.post(NEW, filled(bills[:1], received="25", means="cash"))
    payment = Payment.objects.get()
    path = f"/gestion/encaissements/{payment.uuid}/"
    assert "15,00 €" in text(browsers.reader.get("/gestion/encaissements/trop-percus/"))
    # A reader sees; a clerk allocates; a manager gives back.
    assert browsers.reader.post(f"{path}affecter/").status_code == 404
    refused = browsers.clerk.post(f"{path}affecter/", {"invoice": bills[2].uuid, "amount": "5"})
    assert "d'un autre redevable" in text(refused)
    browsers.clerk.post(f"{path}affecter/", {"invoice": bills[1].uuid, "amount": "12,50"})
    bills[1].refresh_from_db()
    assert bills[1].paid == Decimal("12.50")
    note = {
        "amount": "2,50",
        "refunded_on": clock.today().isoformat(),
        "means": "transfer",
        "reason": "trop-perçu",
    }
    assert browsers.clerk.post(f"{path}rembourser/", note).status_code == 404
    assert browsers.manager.post(f"{path}rembourser/", {**note, "amount": "9"}).status_code == 422
    assert browsers.manager.post(f"{path}rembourser/", note).status_code == 302
    assert Refund.objects.get().amount == Decimal("2.50")
    assert "Aucun trop-perçu" in text(browsers.reader.get("/gestion/encaissements/trop-percus/"))


def test_who_may_cancel(browsers: SimpleNamespace, people: SimpleNamespace, bills: list[Invoice]) -> None:
    def cash(actor: Any) -> str:
        payment = book_counter_payment(
            actor=actor, invoice=bills[0], means=Means.CASH, amount=Decimal("1"), paid_on=clock.today()
        )
        return f"/gestion/encaissements/{payment.uuid}/"

    theirs, own = cash("system"), cash(people.clerk)
    reason = {"reason": "erreur de saisie"}
    assert "Annuler cet encaissement" in text(browsers.clerk.get(own))
    assert "nnuler c" not in text(browsers.clerk.get(theirs))
    assert browsers.reader.post(f"{own}annuler/", reason).status_code == 404
    assert browsers.clerk.post(f"{theirs}annuler/", reason).status_code == 404
    assert browsers.clerk.post(f"{own}annuler/", {}).status_code == 422
    assert browsers.clerk.post(f"{own}annuler/", reason).status_code == 302
    assert browsers.manager.post(f"{theirs}annuler/", reason).status_code == 302
    bills[0].refresh_from_db()
    assert bills[0].paid == 0
    assert "erreur de saisie" in text(browsers.reader.get(own))


def test_the_receipt_is_ours_and_never_a_quittance(browsers: SimpleNamespace, bills: list[Invoice]) -> None:
    browsers.clerk.post(NEW, filled(bills, drawer="Mme DUPRÉ", received="61"))
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


def test_a_docket_is_closed_printed_and_kept(browsers: SimpleNamespace, bills: list[Invoice]) -> None:
    for invoice, drawer in zip(bills, ("=1+1", "M. DEUX", "M. TROIS"), strict=True):
        details = PaymentDetails(bank="Crédit", number=f"{invoice.pk}", drawer=drawer)
        line = CounterRow(invoice, invoice.amount)
        book_payment(actor="system", lines=[line], means=Means.CHEQUE, paid_on=clock.today(), details=details)
    assert browsers.clerk.get("/gestion/remises/nouvelle/").status_code == 404
    page = browsers.manager.get("/gestion/remises/nouvelle/?moyen=cheques")
    assert "60,00 €" in text(page)
    ticked = [one.uuid for one in Payment.objects.order_by("id")[:2]]
    sent = {"payment": ticked, "deposited_on": clock.today().isoformat()}
    answer = browsers.manager.post("/gestion/remises/nouvelle/?moyen=cheques", sent)
    docket = Deposit.objects.get()
    assert answer["Location"] == f"/gestion/remises/{docket.uuid}/"
    assert (docket.total, docket.count) == (30, 2)
    again = browsers.manager.post("/gestion/remises/nouvelle/?moyen=cheques", sent)
    assert again.status_code == 422
    assert "remis ou annulé entre-temps" in text(again)
    assert Deposit.objects.count() == 1
    first = browsers.reader.get(f"/gestion/remises/{docket.uuid}/bordereau.pdf").content
    assert "Bordereau de remise de chèques" in pdf_text(first)
    assert "30,00 €" in pdf_text(first)
    cancel_payment(actor="system", payment=Payment.objects.get(uuid=ticked[0]), reason="impayé")
    assert browsers.reader.get(f"/gestion/remises/{docket.uuid}/bordereau.pdf").content == first
    sheet = b"".join(browsers.reader.get(f"/gestion/remises/{docket.uuid}/bordereau.csv")).decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(sheet), delimiter=";"))
    assert [row["Montant"] for row in rows] == ["10,00", "20,00"]
    assert rows[0]["Tireur"] == "'=1+1"  # no spreadsheet runs it
    assert [row["Annulé depuis"] for row in rows] == ["impayé", ""]


def test_j_ai_regle_is_confirmed_or_refused(
    browsers: SimpleNamespace, people: SimpleNamespace, bills: list[Invoice], mailbox: Any
) -> None:
    declaration = declare_paid(actor=people.alice, invoice=bills[0])
    page = browsers.clerk.get("/gestion/encaissements/declarations/").content.decode()
    assert f"{NEW}?facture={bills[0].uuid}" in page
    path = f"/gestion/encaissements/declarations/{declaration.uuid}/refuser/"
    assert browsers.clerk.post(path, {"answer": ""}).status_code == 422
    assert browsers.clerk.post(path, {"answer": "Nous n'avons rien reçu."}).status_code == 302
    assert "Nous n'avons rien reçu." in mailbox()[-1].text
    assert "Aucune déclaration" in text(browsers.clerk.get("/gestion/encaissements/declarations/"))
    theirs = text(browsers.alice.get(f"/factures/{bills[0].uuid}/"))
    assert "Nous n'avons rien reçu." in theirs
    assert "J'ai réglé" in theirs  # may be said again


def test_an_avoir_from_its_page(browsers: SimpleNamespace, bills: list[Invoice]) -> None:
    path = f"/gestion/factures/{bills[0].uuid}/avoir/"
    book_counter_payment(
        actor="system", invoice=bills[0], means=Means.CASH, amount=Decimal("8"), paid_on=clock.today()
    )
    assert browsers.clerk.get(path).status_code == 404
    assert browsers.manager.post(path, {"whole": "non", "amount": "", "reason": "x"}).status_code == 422
    refused = browsers.manager.post(path, {"whole": "non", "amount": "5", "reason": "absence"})
    assert "8,00 € sont déjà réglés : 3,00 € deviendraient disponibles" in text(refused)
    assert not Credit.objects.exists()
    sent = {"whole": "non", "amount": "5", "reason": "absence", "let_go": "on"}
    assert browsers.manager.post(path, sent).status_code == 302
    bills[0].refresh_from_db()
    assert (bills[0].amount, bills[0].paid) == (5, 5)
    assert "Avoir de 5,00 €" in text(browsers.reader.get(f"/gestion/factures/{bills[0].uuid}/"))


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


# --- people and régies at the counter -------------------------------------------------------------


@pytest.fixture
def of_water(make_payer: Any, make_invoice: Callable[..., Invoice], town: Any) -> Invoice:
    """An invoice of another régie, owed by another Alice DUPRÉ."""
    default = Product.objects.get(is_default=True)
    water = Product.objects.create(code="eau", label="Régie eau", kind=default.kind, numcli="001965")
    homonym = make_payer(last_name="DUPRÉ", first_name="Alice", address="3 rue du Moulin", city="Agen")
    return make_invoice(homonym, amount="15", product=water)


def test_homonyms_are_told_apart_by_street_and_code(
    browsers: SimpleNamespace, bills: list[Invoice], of_water: Invoice
) -> None:
    page = text(browsers.clerk.get(NEW, {"q": "dupré"}))
    groups = page.split("Alice DUPRÉ")
    first, second = bills[0].payer.reference, of_water.payer.reference
    assert f"code {first}" in page
    assert f"3 rue du Moulin, Agen · code {second}" in page
    assert page.index(f"code {first}") < page.index(bills[1].number) < page.index(f"code {second}")
    assert len(groups) > 2
    assert "Régie eau" in page, "with several régies, each invoice says its own"


def test_two_regies_are_refused_in_words(
    browsers: SimpleNamespace, bills: list[Invoice], of_water: Invoice
) -> None:
    answer = browsers.clerk.post(NEW, filled([bills[0], of_water]))
    assert answer.status_code == 422
    assert "plusieurs régies (Régie cantine, Régie eau)" in text(answer)
    assert not Payment.objects.exists()


def test_cash_above_the_limit_is_refused_on_the_form(browsers: SimpleNamespace, bills: list[Invoice]) -> None:
    assert "300,00 € au plus" in text(browsers.clerk.get(NEW, {"facture": [bills[0].uuid]}))
    answer = browsers.clerk.post(NEW, filled(bills[:1], means="cash", received="300,01"))
    assert answer.status_code == 422
    assert "article 1680" in text(answer)
    assert not Payment.objects.exists()


def test_a_docket_is_made_of_one_regie(
    browsers: SimpleNamespace, bills: list[Invoice], of_water: Invoice
) -> None:
    for bill in (bills[0], of_water):
        cheque = {"actor": "system", "invoice": bill, "means": Means.CHEQUE, "paid_on": clock.today()}
        book_counter_payment(amount=bill.amount, **cheque)
    listed = text(browsers.manager.get("/gestion/remises/"))
    assert "10,00 € de chèques" in listed
    assert "15,00 € de chèques" in listed
    page = browsers.manager.get("/gestion/remises/nouvelle/?moyen=cheques&regie=eau").content.decode()
    water, canteen = (Payment.objects.get(product__code=code) for code in ("eau", bills[0].product.code))
    assert str(water.uuid) in page
    assert str(canteen.uuid) not in page
    sent = {"payment": [str(water.uuid)], "deposited_on": clock.today().isoformat()}
    answer = browsers.manager.post("/gestion/remises/nouvelle/?moyen=cheques&regie=eau", sent)
    docket = Deposit.objects.get()
    assert answer["Location"].endswith(f"/{docket.uuid}/")
    assert docket.product.code == "eau"
    paper = pdf_text(browsers.manager.get(f"/gestion/remises/{docket.uuid}/bordereau.pdf").content)
    assert "Régie eau" in paper


def test_money_given_back_is_no_longer_left_over(browsers: SimpleNamespace, bills: list[Invoice]) -> None:
    """The sentence at the top of the invoice and the table below forgot refunds."""
    made = attempt(bills[0], "paid")
    paid = Payment.objects.create(
        attempt=made, product=made.product, provider="payfip", provider_reference=str(made.uuid),
        means=Means.CARD, amount=made.amount, paid_on=clock.today(), recorded_by="treasury", payer=bills[0].payer,
    )  # fmt: skip
    page = f"/gestion/factures/{bills[0].uuid}/"
    assert "reçus en trop" in text(browsers.clerk.get(page))
    record_refund(
        actor="system",
        payment=paid,
        amount=paid.amount,
        refunded_on=clock.today(),
        means="transfer",
        reason="x",
    )
    shown = text(browsers.clerk.get(page))
    assert "reçus en trop" not in shown
    assert "Rien : remboursé" in shown
