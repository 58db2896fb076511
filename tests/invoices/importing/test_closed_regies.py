"""Billing files and the life of a régie: closed, or with another number (decision 61)."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.invoices.states import BatchState
from tenant_apps.products.agreements import replace_product
from tenant_apps.products.models import Product
from tenant_apps.products.queries import default_product
from tenant_apps.products.services import add_product, end_product, reopen_product
from tenants.models import Town
from tests.backoffice.conftest import send
from tests.races import at_once

HEADER = "Numéro;Date;Échéance;Montant;Objet;Code redevable;Nom;Prénom;Régie"
ROW = "2026-001-{n:06};01/10/2026;31/12/2026;25,00;CANTINE;F{n:03};MARTIN;Alice;{regie}"


def file(*numbers: int, regie: str = "", amount: str = "25,00") -> bytes:
    lines = [HEADER, *(ROW.format(n=n, regie=regie).replace("25,00", amount) for n in numbers)]
    return "\r\n".join(lines).encode()


def replaced(product: Product, number: str = "001966") -> Product:
    return replace_product(
        actor="system", product=product, protocol="payfip", number=number, pays_after_end=True
    )


def problems(batch: Batch) -> list[tuple[int | None, str, str, str]]:
    return [(one.line, one.field, one.value, one.message) for one in batch.problems.filter(severity="error")]


def go_on(batch: Batch) -> Batch:
    services.publish_batch(actor="system", batch=batch)
    for _ in range(3):
        processing.process_waiting()
    batch.refresh_from_db()
    return batch


def test_a_closed_regie_gets_no_new_invoice(town: Town) -> None:
    creche = add_product(actor="system", label="Crèche")
    send(file(1, regie="CRECHE"), publish=True)
    end_product(actor="system", product=creche, pays_after_end=False)
    batch = send(file(1, 2, regie="creche"))  # what is online already is not refused
    ((line, field, value, sentence),) = problems(batch)
    assert (batch.state, line, field, value) == (BatchState.REFUSED, 3, "Régie", "creche")
    assert "« Crèche » est fermée depuis le" in sentence
    assert "Corrigez le code dans le fichier" in sentence
    unknown = problems(send(file(3, regie="ABSENTE")))
    assert "Codes connus : REGIE." in unknown[0][3]  # a closed one is not proposed
    reopen_product(actor="system", product=creche)
    assert send(file(2, regie="creche")).state == BatchState.READY


def test_files_that_name_the_code_reach_the_new_number(town: Town) -> None:
    send(file(1, regie="REGIE"), publish=True)
    old = default_product()
    new = replaced(old)
    send(file(2, regie="regie"), publish=True)
    send(file(3), publish=True)  # without a name: the default
    found = dict(Invoice.objects.values_list("number", "product"))
    assert found == {"2026-001-000001": old.pk, "2026-001-000002": new.pk, "2026-001-000003": new.pk}
    ((_line, _field, value, sentence),) = problems(send(file(4, regie="REGIE-001964")))
    assert value == "REGIE-001964"
    assert "Écrivez le code « REGIE »" in sentence


def test_a_file_sent_again_bills_nobody_twice(town: Town) -> None:
    """The invoice is online at the old number, even after two changes: it is the same one."""
    send(file(1, regie="REGIE"), publish=True)
    replaced(replaced(default_product()), "001977")
    again = send(file(1, 2, regie="REGIE"))
    assert (again.state, again.new_count, again.unchanged_count) == (BatchState.READY, 1, 1)
    other = send(file(1, regie="REGIE", amount="30,00"))
    assert (other.state, other.amended_count) == (BatchState.READY, 1)
    assert Invoice.objects.filter(number="2026-001-000001").count() == 1


def test_a_reference_of_the_old_number_is_not_given_again(town: Town) -> None:
    header = f"{HEADER};Référence TIPI"
    row = ROW.format(n=1, regie="REGIE") + ";ABC123456"
    send("\r\n".join([header, row]).encode(), publish=True)
    replaced(default_product())
    row = ROW.format(n=2, regie="REGIE") + ";ABC123456"
    ((_line, field, value, sentence),) = problems(send("\r\n".join([header, row]).encode()))
    assert (field, value) == ("Référence TIPI", "ABC123456")
    assert "2026-001-000001" in sentence


def test_an_import_that_waits_follows_the_code(town: Town) -> None:
    """Checked before the number changed and published after: it is checked again, for the new number."""
    batch = send(file(1, regie="REGIE"))
    assert batch.state == BatchState.READY
    new = replaced(default_product())
    assert go_on(batch).state == BatchState.PUBLISHED
    assert Invoice.objects.get().product_id == new.pk


def test_an_import_that_waits_when_its_regie_closes(town: Town) -> None:
    creche = add_product(actor="system", label="Crèche")
    batch = send(file(1, regie="CRECHE"))
    end_product(actor="system", product=creche, pays_after_end=False)
    assert go_on(batch).state == BatchState.REFUSED
    assert "est fermée" in problems(batch)[0][3]
    assert not Invoice.objects.exists()


def test_the_database_publishes_nothing_in_a_closed_regie(town: Town) -> None:
    creche = add_product(actor="system", label="Crèche")
    send(file(1, regie="CRECHE"))
    end_product(actor="system", product=creche, pays_after_end=True)
    with pytest.raises(IntegrityError, match="closed product"), transaction.atomic():
        Invoice.objects.update(state="published")


def test_a_regie_closes_while_an_import_is_published(live_town: Town) -> None:
    """Published before it closed, or not at all: never after."""
    creche = add_product(actor="system", label="Crèche")
    batch = send(file(1, 2, regie="CRECHE"))
    services.publish_batch(actor="system", batch=batch)

    def close() -> Any:
        return end_product(actor="system", product=Product.objects.get(pk=creche.pk), pays_after_end=False)

    assert at_once(live_town, close, processing.process_waiting) == []
    processing.process_waiting()
    creche.refresh_from_db()
    assert creche.ended_at is not None
    batch.refresh_from_db()
    published = Invoice.objects.filter(state="published")
    assert all(one.published_at < creche.ended_at for one in published)
    assert (batch.state, published.count()) in ((BatchState.PUBLISHED, 2), (BatchState.REFUSED, 0))
