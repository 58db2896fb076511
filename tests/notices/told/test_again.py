"""An import that is published again tells the new invoices, and nobody twice of the same one."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from shared_apps.mail.models import OutgoingMail
from tenant_apps.invoices import services
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.decisions.answering import agree
from tenant_apps.invoices.decisions.rechecking import check_again, correct_row, set_aside
from tenant_apps.invoices.models import Amendment, Batch, Invoice
from tenant_apps.invoices.services import take_back_batch
from tenant_apps.invoices.states import Agreed
from tenant_apps.notices.models import PlannedNotice
from tenant_apps.notices.queries import mails_about
from tenant_apps.notices.services import queue_planned
from tenant_apps.notices.told import planning
from tenant_apps.notices.told.publications import publications
from tenant_apps.residents.emails import billing
from tests.invoices.importing.batches import online, publish, run
from tests.invoices.importing.bills import HEADER, bill

INES, EVA = "ines@example.net", "eva@example.org"
WRONG = bill("G3", "K3", "PETIT", "Eva", email=EVA, amount="douze")


@pytest.fixture(autouse=True)
def _known(choose: Callable[..., None]) -> None:
    choose(alert_audience="known")


def on(batch: Batch, act: Any) -> Batch:
    act(actor="system", batch=batch)
    processing.process_waiting()
    batch.refresh_from_db()
    return batch


def told() -> list[tuple[str, list[str]]]:
    """(address, numbers in its message), of each message written since the last call."""
    queue_planned()
    new = list(OutgoingMail.objects.exclude(state="sent").order_by("to"))
    OutgoingMail.objects.update(state="sent")
    return [(mail.to, [n for n in ("G1", "G2", "G3") if f"n° {n}" in mail.text]) for mail in new]


def test_rows_corrected_later_are_told_and_the_first_ones_are_not_again() -> None:
    batch = publish(on(run(HEADER, bill("G1", "K1"), WRONG), set_aside))
    assert told() == [(INES, ["G1"])]
    correct_row(actor="system", batch=batch, line=3, cells={"amount": "12,00"})
    publish(on(batch, check_again))
    assert told() == [(EVA, ["G3"])]
    assert OutgoingMail.objects.count() == 2
    assert len(publications(batch.uuid)) == 2


def test_whoever_has_a_second_invoice_later_hears_of_that_one_only() -> None:
    other = bill("G3", "K1", amount="douze")
    batch = publish(on(run(HEADER, bill("G1", "K1"), other), set_aside))
    assert told() == [(INES, ["G1"])]
    correct_row(actor="system", batch=batch, line=3, cells={"amount": "12,00"})
    publish(on(batch, check_again))
    assert told() == [(INES, ["G3"])]
    assert [mail.text.count("n° G") for mail in mails_about(Invoice.objects.get(number="G1"))] == [1]
    (about,) = mails_about(Invoice.objects.get(number="G3"))
    assert "G3" in about.text


def test_taken_back_and_published_again_tells_nobody_twice() -> None:
    batch = online(HEADER, bill("G1", "K1"), bill("G2", "K2", "PETIT", "Eva", email=EVA))
    assert told() == [(EVA, ["G2"]), (INES, ["G1"])]
    take_back_batch(actor="system", batch=batch)
    publish(batch)
    assert told() == []
    assert OutgoingMail.objects.count() == 2


def test_taken_back_before_the_message_was_written_is_told_at_the_second_time() -> None:
    batch = online(HEADER, bill("G1", "K1"))
    take_back_batch(actor="system", batch=batch)
    assert told() == []
    assert PlannedNotice.objects.get().items == []
    publish(batch)
    assert told() == [(INES, ["G1"])]


def test_published_again_before_the_worker_came_is_one_message() -> None:
    batch = online(HEADER, bill("G1", "K1"))
    take_back_batch(actor="system", batch=batch)
    publish(batch)
    assert told() == [(INES, ["G1"])]
    assert OutgoingMail.objects.count() == 1


def test_an_address_that_came_meanwhile_hears_of_what_is_published_again() -> None:
    batch = online(HEADER, bill("G1", "K1"))
    told()
    take_back_batch(actor="system", batch=batch)
    billing.add_email(actor="system", payer=Invoice.objects.get().payer, email=EVA)
    publish(batch)
    assert told() == [(EVA, ["G1"])]


def test_older_notices_say_nothing_of_invoices_and_mean_all() -> None:
    """As code before the field wrote them."""
    batch = online(HEADER, bill("G1", "K1"))
    PlannedNotice.objects.update(items=None)
    assert told() == [(INES, ["G1"])]
    take_back_batch(actor="system", batch=batch)
    publish(batch)
    assert told() == []
    assert mails_about(Invoice.objects.get()).count() == 1


# --- what changes -------------------------------------------------------------------------------------


def test_another_amount_is_told_once_with_both() -> None:
    online(HEADER, bill("G1", "K1", amount="25,00"))
    told()
    online(HEADER, bill("G1", "K1", amount="30,00"))
    queue_planned()
    mail = OutgoingMail.objects.latest("id")
    assert mail.kind == "alert-invoices-amended"
    words = plain(mail.text)
    assert "Votre facture n° G1 " in words
    assert "a été modifiée : montant 30,00 € au lieu de 25,00 €." in words, words
    assert mails_about(Invoice.objects.get()).first() == mail
    count = OutgoingMail.objects.count()
    again = run(HEADER, bill("G1", "K1", amount="30,00"))
    assert not again.brings_something
    queue_planned()
    assert OutgoingMail.objects.count() == count


def plain(text: str) -> str:
    return " ".join(text.split())


def test_a_moved_invoice_is_new_for_one_and_gone_for_the_other() -> None:
    online(HEADER, bill("G1", "K1"), bill("G2", "K2", "PETIT", "Eva", email=EVA))
    told()
    batch = run(HEADER, bill("G1", "K2", "PETIT", "Eva", email=EVA, amount="99,00"))
    agree(actor="system", batch=batch, pk=Amendment.objects.get().pk, answer=Agreed.YES)
    publish(batch)
    queue_planned()
    mails = {mail.to: mail for mail in OutgoingMail.objects.order_by("-id")[:2]}
    assert set(mails) == {INES, EVA}
    gone, new = plain(mails[INES].text), plain(mails[EVA].text)
    assert "elle n'est plus à votre nom" in gone
    assert "n° G1" in gone
    assert "PETIT" not in gone
    assert "99,00" not in gone
    assert "K2" not in gone
    assert mails[EVA].kind == "alert-new-invoices"
    assert "n° G1" in new
    assert OutgoingMail.objects.count() == 4


def test_whoever_sees_both_payers_hears_of_a_new_invoice_only() -> None:
    online(HEADER, bill("G1", "K1"), bill("G2", "K2", "LEROUX", "Paul", email=INES))
    told()
    batch = run(HEADER, bill("G1", "K2", "LEROUX", "Paul", email=INES))
    agree(actor="system", batch=batch, pk=Amendment.objects.get().pk, answer=Agreed.YES)
    publish(batch)
    queue_planned()
    assert [mail.kind for mail in OutgoingMail.objects.order_by("id")] == ["alert-new-invoices"] * 2


def test_whoever_refuses_it_and_a_town_that_tells_nobody(choose: Callable[..., None]) -> None:
    online(HEADER, bill("G1", "K1"), bill("G2", "K2", "PETIT", "Eva", email=EVA))
    told()
    payer = Invoice.objects.get(number="G1").payer
    payer.emails.update(refused_alerts=["amended"])
    online(
        HEADER, bill("G1", "K1", amount="1,00"), bill("G2", "K2", "PETIT", "Eva", email=EVA, amount="1,00")
    )
    queue_planned()
    assert OutgoingMail.objects.filter(kind="alert-invoices-amended").get().to == EVA
    choose(alert_audience="nobody")
    online(
        HEADER, bill("G1", "K1", amount="2,00"), bill("G2", "K2", "PETIT", "Eva", email=EVA, amount="2,00")
    )
    queue_planned()
    assert OutgoingMail.objects.filter(kind="alert-invoices-amended").count() == 1


def test_a_changed_invoice_that_goes_before_the_worker_comes_is_not_told() -> None:
    batch = online(HEADER, bill("G1", "K1", amount="25,00"))
    told()
    online(HEADER, bill("G1", "K1", amount="30,00"))
    services.take_back_batch(actor="system", batch=batch)
    queue_planned()
    assert OutgoingMail.objects.count() == 1


def test_three_hundred_changes_cost_as_many_statements_as_three() -> None:
    costs = []
    for n, amount in ((3, "30,00"), (300, "31,00")):
        online(HEADER, *(bill(f"H{i}", f"K{i}", email=f"p{i}@example.net") for i in range(n)))
        batch = online(
            HEADER, *(bill(f"H{i}", f"K{i}", email=f"p{i}@example.net", amount=amount) for i in range(n))
        )
        PlannedNotice.objects.all().delete()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert planning.plan_amended(batch=batch.uuid, key="amended:{about}:{email}", since=None) == n
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 10
