"""What is put right: money left over, cancelled payments, « J'ai réglé », avoirs."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from tenant_apps.invoices.models import Credit, Invoice
from tenant_apps.payments.corrections.payments import record_refund
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.models import Means, Payment, Refund
from tenant_apps.payments.online.paying import declare_paid
from tests.backoffice.conftest import text
from tests.backoffice.money.forms import NEW, filled
from tests.backoffice.test_lists import attempt
from toolkit import clock


def test_more_than_due_is_left_over_then_spent_or_given_back(
    browsers: SimpleNamespace, invoices: list[Invoice]
) -> None:
    browsers.cashier.post(NEW, filled(invoices[:1], received="25", means="cash"))
    payment = Payment.objects.get()
    path = f"/gestion/encaissements/{payment.uuid}/"
    assert "15,00 €" in text(browsers.reader.get("/gestion/encaissements/trop-percus/"))
    # A reader sees; a clerk allocates; a manager gives back.
    assert browsers.reader.post(f"{path}affecter/").status_code == 403
    refused = browsers.cashier.post(f"{path}affecter/", {"invoice": invoices[2].uuid, "amount": "5"})
    assert "d'un autre redevable" in text(refused)
    browsers.cashier.post(f"{path}affecter/", {"invoice": invoices[1].uuid, "amount": "12,50"})
    invoices[1].refresh_from_db()
    assert invoices[1].paid == Decimal("12.50")
    note = {
        "amount": "2,50",
        "refunded_on": clock.today().isoformat(),
        "means": "transfer",
        "reason": "trop-perçu",
    }
    assert browsers.cashier.post(f"{path}rembourser/", note).status_code == 403
    assert browsers.manager.post(f"{path}rembourser/", {**note, "amount": "9"}).status_code == 422
    assert browsers.manager.post(f"{path}rembourser/", note).status_code == 302
    assert Refund.objects.get().amount == Decimal("2.50")
    assert "Aucun trop-perçu" in text(browsers.reader.get("/gestion/encaissements/trop-percus/"))


def test_money_given_back_is_no_longer_left_over(browsers: SimpleNamespace, invoices: list[Invoice]) -> None:
    """The sentence at the top of the invoice and the table below forgot refunds."""
    made = attempt(invoices[0], "paid")
    paid = Payment.objects.create(
        attempt=made, product=made.product, provider="payfip", provider_reference=str(made.uuid),
        means=Means.CARD, amount=made.amount, paid_on=clock.today(), recorded_by="treasury", payer=invoices[0].payer,
    )  # fmt: skip
    page = f"/gestion/factures/{invoices[0].uuid}/"
    assert "reçus en trop" in text(browsers.cashier.get(page))
    record_refund(
        actor="system",
        payment=paid,
        amount=paid.amount,
        refunded_on=clock.today(),
        means="transfer",
        reason="x",
    )
    shown = text(browsers.cashier.get(page))
    assert "reçus en trop" not in shown
    assert "Rien : remboursé" in shown


def test_who_may_cancel(browsers: SimpleNamespace, people: SimpleNamespace, invoices: list[Invoice]) -> None:
    def cash(actor: Any) -> str:
        payment = book_counter_payment(
            actor=actor, invoice=invoices[0], means=Means.CASH, amount=Decimal("1"), paid_on=clock.today()
        )
        return f"/gestion/encaissements/{payment.uuid}/"

    theirs, own = cash("system"), cash(people.cashier)
    reason = {"reason": "erreur de saisie"}
    assert "Annuler cet encaissement" in text(browsers.cashier.get(own))
    assert "nnuler c" not in text(browsers.cashier.get(theirs))
    assert browsers.reader.post(f"{own}annuler/", reason).status_code == 403
    assert browsers.cashier.post(f"{theirs}annuler/", reason).status_code == 403
    assert browsers.cashier.post(f"{own}annuler/", {}).status_code == 422
    assert browsers.cashier.post(f"{own}annuler/", reason).status_code == 302
    assert browsers.manager.post(f"{theirs}annuler/", reason).status_code == 302
    invoices[0].refresh_from_db()
    assert invoices[0].paid == 0
    assert "erreur de saisie" in text(browsers.reader.get(own))


def test_j_ai_regle_is_confirmed_or_refused(
    browsers: SimpleNamespace, people: SimpleNamespace, invoices: list[Invoice], mailbox: Any
) -> None:
    declaration = declare_paid(actor=people.alice, invoice=invoices[0])
    page = browsers.cashier.get("/gestion/encaissements/declarations/").content.decode()
    assert f"{NEW}?facture={invoices[0].uuid}" in page
    path = f"/gestion/encaissements/declarations/{declaration.uuid}/refuser/"
    assert browsers.cashier.post(path, {"answer": ""}).status_code == 422
    assert browsers.cashier.post(path, {"answer": "Nous n'avons rien reçu."}).status_code == 302
    assert "Nous n'avons rien reçu." in mailbox()[-1].text
    assert "Aucune déclaration" in text(browsers.cashier.get("/gestion/encaissements/declarations/"))
    theirs = text(browsers.alice.get(f"/factures/{invoices[0].uuid}/"))
    assert "Nous n'avons rien reçu." in theirs
    assert "J'ai réglé" in theirs  # may be said again


def test_an_avoir_from_its_page(browsers: SimpleNamespace, invoices: list[Invoice]) -> None:
    path = f"/gestion/factures/{invoices[0].uuid}/avoir/"
    book_counter_payment(
        actor="system", invoice=invoices[0], means=Means.CASH, amount=Decimal("8"), paid_on=clock.today()
    )
    assert browsers.cashier.get(path).status_code == 403
    assert browsers.manager.post(path, {"whole": "non", "amount": "", "reason": "x"}).status_code == 422
    refused = browsers.manager.post(path, {"whole": "non", "amount": "5", "reason": "absence"})
    assert "8,00 € sont déjà réglés : 3,00 € deviendraient disponibles" in text(refused)
    assert not Credit.objects.exists()
    sent = {"whole": "non", "amount": "5", "reason": "absence", "let_go": "on"}
    assert browsers.manager.post(path, sent).status_code == 302
    invoices[0].refresh_from_db()
    assert (invoices[0].amount, invoices[0].paid) == (5, 5)
    assert "Avoir de 5,00 €" in text(browsers.reader.get(f"/gestion/factures/{invoices[0].uuid}/"))
