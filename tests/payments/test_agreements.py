"""A product's number is corrected while it is unused, and a new product replaces it once it is used (decision 61)."""

from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from shared_apps.accounts.models import Account
from shared_apps.audit.models import AuditEntry
from tenant_apps.invoices.models import Invoice
from tenant_apps.payments import services
from tenant_apps.payments.errors import NotPayable, NotYet, ProviderRefused, ProviderUnavailable
from tenant_apps.payments.models import Attempt, Payment
from tenant_apps.payments.online import paying
from tenant_apps.payments.payability.reading import payability_of
from tenant_apps.payments.services import Change
from tenant_apps.products.errors import ProductError
from tenant_apps.products.models import Mode, Product
from tenant_apps.products.queries import default_product, former_products
from tenant_apps.products.services import (
    confirm_number,
    delete_product,
    end_product,
    make_default,
    reopen_product,
)
from tenants.models import Town
from tests.payments.conftest import Simulator
from tests.races import at_once

NEW = {"kind": "regie", "protocol": "payfip", "number": "001966"}


@pytest.fixture
def alice(town: Town, make_account: Any) -> Account:
    account: Account = make_account("alice@example.net")
    return account


@pytest.fixture
def invoice(alice: Account, make_payer: Any, make_invoice: Any) -> Invoice:
    found: Invoice = make_invoice(make_payer(alice))
    return found


def change(product: Product, **wanted: Any) -> Product:
    return services.change_agreement(actor="system", product=product, **{**NEW, **wanted})


def recognised(product: Product, **more: Any) -> Product:
    lines = services.ask_number("payfip", NEW["number"])
    return change(product, label="\n".join(lines), **more)


def test_a_number_that_nobody_used_is_corrected_in_place(town: Town) -> None:
    product = default_product()
    confirm_number(actor="system", product=product, label="MAIRIE")
    changed = change(product, reason="erreur de frappe")
    assert changed == product
    assert (changed.numcli, changed.mode, changed.checked_at, changed.treasury_label) == (
        "001966",
        "T",
        None,
        "",
    )
    fact = AuditEntry.objects.filter(verb="product.changed").latest("id")
    assert (fact.old, fact.new) == (
        {"numcli": "001964", "mode": "W"},
        {"numcli": "001966", "mode": "T", "reason": "erreur de frappe"},
    )


def test_the_same_agreement_changes_nothing(town: Town) -> None:
    facts = AuditEntry.objects.count()
    product = default_product()
    assert change(product, number="001964") == product
    assert (default_product().mode, AuditEntry.objects.count()) == ("W", facts)


def test_invoices_do_not_keep_a_number_that_was_never_in_service(invoice: Invoice) -> None:
    """A manager finds a typing error at « Est-ce bien vous ? », when the first invoices are already published."""
    Product.objects.update(mode=Mode.TEST)
    assert change(default_product()).pk == invoice.product_id


def test_the_first_number_of_a_regie_with_invoices(invoice: Invoice) -> None:
    Product.objects.update(protocol="none", numcli="", mode=Mode.TEST)
    assert change(default_product()).pk == invoice.product_id


def test_another_protocol_begins_again_with_the_same_number(invoice: Invoice) -> None:
    changed = change(default_product(), protocol="tipi", number="001964")
    assert (changed.pk, changed.protocol, changed.mode) == (invoice.product_id, "tipi", "T")


def test_a_number_in_use_is_replaced(invoice: Invoice, simulator: Simulator) -> None:
    old = default_product()
    Product.objects.update(takes_several=True, payable_days_after_due=60)
    assert services.change_of(old, **NEW) == Change.REPLACE
    new = recognised(old, pays_after_end=True, reason="nouvelle convention")
    old.refresh_from_db()
    assert new.pk != old.pk
    assert (new.code, new.label, new.numcli, new.mode, new.is_default) == (
        "REGIE",
        "Régie cantine",
        "001966",
        "T",
        True,
    )
    assert (new.takes_several, new.payable_days_after_due, new.offers_declaration) == (True, 60, True)
    assert new.treasury_label.startswith("MAIRIE DE DEMONSTRATION\nBUDGET EAU")
    assert (old.code, old.numcli, old.mode, old.is_default) == ("REGIE-001964", "001964", "W", False)
    assert (old.replaced_by, old.pays_after_end) == (new, True)
    assert old.full_label == "Régie cantine (ancien numéro 001964)"
    assert former_products() == {new.pk: [old.pk]}
    fact = AuditEntry.objects.get(verb="product.replaced")
    assert (fact.object, fact.old["numcli"], fact.new["numcli"], fact.new["kept_as"], fact.new["reason"]) == (
        "product:REGIE",
        "001964",
        "001966",
        "REGIE-001964",
        "nouvelle convention",
    )
    invoice.refresh_from_db()
    assert invoice.product_id == old.pk
    assert payability_of(Invoice.objects.get(pk=invoice.pk)).can  # still at the old number


def test_what_is_unpaid_is_not_payable_online_when_the_town_says_so(invoice: Invoice, alice: Account) -> None:
    recognised(default_product(), pays_after_end=False)
    found = Invoice.objects.get(pk=invoice.pk)
    assert payability_of(found).code == "ended"
    assert "n'accepte plus de paiement en ligne" in payability_of(found).reason
    with pytest.raises(NotPayable):
        paying.start_payment(actor=alice, invoice=found)
    assert not Attempt.objects.exists()


def test_a_number_in_use_is_replaced_only_once_recognised(invoice: Invoice, simulator: Simulator) -> None:
    old = default_product()
    for label in ("", "COMMUNE INVENTÉE"):
        with pytest.raises(NotYet):
            change(old, label=label)
    with pytest.raises(ProviderRefused):
        change(old, number="999902", label="X")
    simulator.behave(soap="down", soap_on="client")
    with pytest.raises(ProviderUnavailable):
        change(old, label="X")
    assert (Product.objects.count(), default_product().numcli) == (1, "001964")


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"number": "001977"}, "number"),  # the number of another product
        ({"number": ""}, "number"),
        ({"number": "", "protocol": "none"}, "number"),  # the present number has received money
        ({"kind": "titre", "number": "001964"}, "kind"),  # its references follow another rule
    ],
)
def test_what_the_agreement_cannot_become(invoice: Invoice, wanted: dict[str, str], field: str) -> None:
    Product.objects.create(code="EAU", label="Eau", numcli="001977")
    with pytest.raises(ValidationError) as refused:
        services.change_of(default_product(), **{**NEW, **wanted})
    assert set(refused.value.error_dict) == {field}
    assert Product.objects.count() == 2


def test_a_payment_in_flight_ends_at_the_old_number(
    invoice: Invoice, alice: Account, simulator: Simulator
) -> None:
    started = paying.start_payment(actor=alice, invoice=invoice)
    old = default_product()
    new = recognised(old, pays_after_end=False)
    assert started.attempt.operation
    simulator.act(started.attempt.operation, "pay")
    settled = paying.ask(attempt=Attempt.objects.get(), source="poller")
    payment = Payment.objects.get()
    assert (settled.state, settled.merchant, settled.product_id) == ("paid", "001964", old.pk)
    assert (payment.product_id, payment.amount) == (old.pk, invoice.amount)
    invoice.refresh_from_db()
    assert (invoice.is_paid, invoice.product_id) == (True, old.pk)
    assert not Payment.objects.filter(product=new).exists()


def test_a_payment_begins_while_the_number_changes(
    live_town: Town, make_account: Any, make_payer: Any, make_invoice: Any, simulator: Simulator
) -> None:
    """In any order, the attempt and its money have one number, and their product still has it."""
    alice = make_account("alice@example.net")
    bill = make_invoice(make_payer(alice))
    old = default_product()
    raised = at_once(
        live_town,
        lambda: paying.start_payment(actor=alice, invoice=Invoice.objects.get(pk=bill.pk)),
        lambda: recognised(Product.objects.get(pk=old.pk), pays_after_end=True),
    )
    assert raised == []
    attempt = Attempt.objects.get()
    assert (attempt.product_id, attempt.merchant, attempt.product.numcli) == (old.pk, "001964", "001964")
    assert default_product().numcli == "001966"


def test_two_managers_change_the_number_at_once(
    live_town: Town, make_account: Any, make_payer: Any, make_invoice: Any
) -> None:
    make_invoice(make_payer(make_account("alice@example.net")))
    old = default_product().pk
    raised = at_once(live_town, *[lambda: recognised(Product.objects.get(pk=old), pays_after_end=True)] * 2)
    assert len(raised) <= 1  # the second is refused, or comes after the first
    assert all(isinstance(error, NotYet | ValidationError) for error in raised)
    assert sorted(Product.objects.values_list("numcli", flat=True)) == ["001964", "001966"]


def test_the_database_keeps_a_number_with_attempts(
    invoice: Invoice, alice: Account, simulator: Simulator
) -> None:
    Product.objects.filter(pk=invoice.product_id).update(numcli="001977")
    Product.objects.filter(pk=invoice.product_id).update(numcli="001964")
    paying.start_payment(actor=alice, invoice=Invoice.objects.get(pk=invoice.pk))
    with pytest.raises(IntegrityError, match="has attempts"), transaction.atomic():
        Product.objects.filter(pk=invoice.product_id).update(numcli="001977")
    Product.objects.filter(pk=invoice.product_id).update(label="Cantine")


def test_a_change_is_undone(invoice: Invoice, simulator: Simulator) -> None:
    old = default_product()
    new = recognised(old)
    with pytest.raises(ValidationError, match="rouvrez-la"):
        change(Product.objects.get(pk=old.pk), number="001977")
    reopen_product(actor="system", product=old)
    make_default(actor="system", product=old)
    delete_product(actor="system", product=new)
    old.refresh_from_db()
    assert (old.code, old.ended_at, old.replaced_by_id, default_product()) == ("REGIE", None, None, old)
    assert payability_of(Invoice.objects.get(pk=invoice.pk)).can


def test_lines_of_another_number_confirm_nothing(town: Town) -> None:
    """One manager confirms the lines of a number that another manager has just corrected."""
    looked_at = default_product()
    change(default_product())
    with pytest.raises(ProductError):
        confirm_number(actor="system", product=looked_at, label="MAIRIE")
    assert default_product().checked_at is None


def test_a_closed_one_goes_no_further(town: Town, make_account: Any) -> None:
    manager = make_account("manager@example.net", role="manager")
    product = Product.objects.create(
        code="EAU", label="Eau", numcli="001966", protocol="payfip", mode=Mode.TEST
    )
    confirm_number(actor="system", product=product, label="EAU")
    end_product(actor="system", product=product, pays_after_end=False)
    product.refresh_from_db()
    with pytest.raises(NotYet, match="fermée"):
        services.start_test_payment(actor=manager, product=product)
    with pytest.raises(NotYet, match="fermée"):
        services.go_forward(actor=manager, product=product)
