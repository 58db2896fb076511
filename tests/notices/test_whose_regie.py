"""What a message is about: the régies of its invoices. Whoever works for some sees it when all of these are theirs."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from shared_apps.accounts.models import Account
from shared_apps.mail.models import OutgoingMail
from shared_apps.mail.queries import outgoing
from tenant_apps.contact.services import answer_message, send_message
from tenant_apps.invoices.models import Invoice
from tenant_apps.notices.mails.new_invoices import NEW_INVOICES
from tenant_apps.payments.models import Declaration
from tenant_apps.payments.services import reduce_invoice, refuse_declaration
from tenant_apps.products.models import Product
from tenant_apps.products.queries import default_product
from tenant_apps.products.services import set_up_product
from tenants.models import Town
from toolkit.scope import EVERYTHING, Scope


@pytest.fixture
def pool(town: Town) -> Product:
    return set_up_product(actor="system", code="PISCINE", label="Régie piscine")


@pytest.fixture
def bill(
    pool: Product,
    make_account: Callable[..., Account],
    make_payer: Callable[..., Any],
    make_invoice: Callable[..., Invoice],
) -> Invoice:
    alice = make_account("alice@example.net")
    return make_invoice(make_payer(alice), product=pool, issued_on=date(2026, 10, 1))


def about() -> dict[str, list[int] | None]:
    return dict(OutgoingMail.objects.values_list("kind", "product_ids"))


def test_each_kind_about_an_invoice_says_its_regie(bill: Invoice, pool: Product) -> None:
    alice = Account.objects.get()
    root = send_message(
        actor=alice, email=alice.email, subject="Eau", body="Froide", invoice=bill, wants_copy=True
    )
    answer_message(actor=alice, message=root, body="Oui", seen=root.uuid, key=bill.uuid)
    declaration = Declaration.objects.create(invoice=bill, account=alice)
    refuse_declaration(actor="system", declaration=declaration, answer="Rien trouvé")
    reduce_invoice(actor="system", invoice=bill, amount=Decimal("1.00"), reason="Erreur", let_go=False)
    kinds = ("contact", "contact-copy", "contact-answer", "declaration-refused", "invoice-credited")
    assert about() == {kind: [pool.pk] for kind in kinds}


def test_a_thread_about_none_says_none(bill: Invoice, pool: Product) -> None:
    alice = Account.objects.get()
    send_message(actor=alice, email=alice.email, subject="Piscine", body="Bonjour")
    assert about() == {"contact": []}
    assert not outgoing(Scope(frozenset({pool.pk}))).exists()
    assert outgoing(EVERYTHING).count() == 1


def test_of_two_regies_is_for_who_works_for_both(bill: Invoice, pool: Product) -> None:
    said = NEW_INVOICES.about(invoices=[bill], standings={}, has_account=True)
    canteen = default_product()
    both = said.of(pool.pk, canteen.pk)
    assert (said.products, both.products) == (None, frozenset({pool.pk, canteen.pk}))
    make = {"subject": "x", "text": "x", "html": "x", "next_try_at": "2026-11-01T00:00Z"}
    OutgoingMail.objects.create(kind="both", product_ids=sorted(both.products or ()), **make)
    OutgoingMail.objects.create(kind="pool", product_ids=[pool.pk], **make)
    OutgoingMail.objects.create(kind="unknown", **make)  # as older code writes it
    seen = {
        scope: {mail.kind for mail in outgoing(scope)}
        for scope in (Scope(frozenset({pool.pk})), Scope(frozenset({pool.pk, canteen.pk})))
    }
    assert list(seen.values()) == [{"pool"}, {"pool", "both"}]
    assert outgoing(EVERYTHING).count() == 3
