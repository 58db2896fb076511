"""A clerk sees the money of the town, and no button that moves it."""

from decimal import Decimal
from types import SimpleNamespace

from tenant_apps.invoices.models import Invoice
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.models import Means
from tenant_apps.payments.online.paying import declare_paid
from tests.backoffice.conftest import text
from toolkit import clock


def test_the_buttons_are_the_cashiers(
    browsers: SimpleNamespace, people: SimpleNamespace, invoices: list[Invoice]
) -> None:
    declare_paid(actor=people.alice, invoice=invoices[0])
    book_counter_payment(
        actor="system", invoice=invoices[1], means=Means.CASH, amount=Decimal("1"), paid_on=clock.today()
    )
    for path, words in (
        ("/gestion/encaissements/", "Nouvel encaissement"),
        ("/gestion/encaissements/declarations/", "Enregistrer le règlement"),
        ("/gestion/remises/", "Remettre ces espèces"),
        ("/gestion/rapprochement/", "Envoyer un journal"),
        (f"/gestion/factures/{invoices[0].uuid}/", "Encaisser "),
    ):
        assert words in text(browsers.cashier.get(path)), path
        assert words not in text(browsers.clerk.get(path)), path


def test_who_was_a_cashier_cancels_nothing_any_more(
    browsers: SimpleNamespace, people: SimpleNamespace, invoices: list[Invoice]
) -> None:
    """A manager has made a clerk of the cashier since."""
    amount = Decimal("1")
    own = book_counter_payment(
        actor=people.clerk, invoice=invoices[1], means=Means.CASH, amount=amount, paid_on=clock.today()
    )
    path = f"/gestion/encaissements/{own.uuid}/"
    assert "Annuler cet encaissement" not in text(browsers.clerk.get(path))
    assert browsers.clerk.post(f"{path}annuler/", {"reason": "erreur de saisie"}).status_code == 403
