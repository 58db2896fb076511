"""A town's figures follow what happens in it, a minute later and once; nothing happens, nothing is counted."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from shared_apps.audit import services as audit
from shared_apps.console import queries, tasks
from shared_apps.console.models import TownFigures
from shared_apps.console.watch import figures
from shared_apps.mail.content import Content
from shared_apps.mail.models import MailState, OutgoingMail
from shared_apps.mail.sending.delivery import deliver_outbox
from shared_apps.mail.services import compose, queue
from tenant_apps.firstday.lines import done_of, lines_of
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.invoices.services import create_batch
from tenant_apps.payments.counter.booking import book_counter_payment
from tenant_apps.payments.models import Means
from tenant_apps.residents.sources import default_source
from tenant_apps.townhall.queries import current_townhall, letterhead
from tenants.models import AgendaItem, Town
from tenants.work import agenda

Capture = Any
ROWS = (
    "Numéro;Date;Échéance;Montant;Objet;Code redevable;Nom\n"
    "2026-001-000501;02/11/2026;15/12/2026;48,60;Cantine;F900;MARTIN\n"
    "2026-001-000502;02/11/2026;15/12/2026;20,00;Cantine;F901;DURAND\n"
)


def planned() -> list[AgendaItem]:
    return list(AgendaItem.objects.filter(kind=figures.KIND))


def when_due() -> None:
    """What beat does once the minute is over."""
    AgendaItem.objects.filter(kind=figures.KIND).update(due_at=timezone.now() - timedelta(seconds=1))
    tasks.refresh_figures()


def kept(town: Town) -> TownFigures:
    return TownFigures.objects.get(town_id=town.pk)


@pytest.fixture(autouse=True)
def _quiet(db: None) -> None:
    """What the setting up of the towns has planned is not ours."""
    AgendaItem.objects.all().delete()


@pytest.fixture
def commit(django_capture_on_commit_callbacks: Capture) -> Capture:
    """The test's own transaction is never committed: this runs what waits for it."""
    return lambda: django_capture_on_commit_callbacks(execute=True)


def test_an_import_and_a_payment(town: Town, commit: Capture) -> None:
    with commit():
        batch = create_batch(
            actor="system",
            rows_file=ContentFile(ROWS.encode()),
            rows_name="factures.csv",
            publish_when_ready=True,
        )
        processing.process_batch(batch=batch)
    batch.refresh_from_db()
    assert batch.state == "published", [str(p) for p in batch.problems.all()]
    [item] = planned()
    assert timedelta(seconds=50) < item.due_at - timezone.now() <= figures.DEBOUNCE
    when_due()
    found = kept(town)
    assert (found.published_invoices, found.unpaid) == (2, Decimal("68.60"))
    assert found.last_import_at == batch.published_at
    assert found.first_steps == done_of(lines_of(current_townhall())) > 0
    assert found.last_payment_at is None

    with commit():
        invoice = Invoice.objects.get(number="2026-001-000501")
        book_counter_payment(
            actor="system",
            invoice=invoice,
            means=Means.CASH,
            amount=Decimal("48.60"),
            paid_on=invoice.issued_on,
        )
    when_due()
    found = kept(town)
    assert (found.published_invoices, found.unpaid) == (2, Decimal("20.00"))
    assert found.last_payment_at is not None


@pytest.mark.xdist_group("smtp")
def test_a_message_that_fails(town: Town, commit: Capture, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = 9, 1  # nobody listens there
    content = Content(subject="Bonjour", sentence="Une phrase.", why="Parce que.")
    queue(compose(kind="test", to="one@example.net", content=content, letterhead=letterhead()))
    OutgoingMail.objects.update(tries=7)  # its last try
    with commit():
        deliver_outbox()
    assert OutgoingMail.objects.get().state == MailState.FAILED
    assert len(planned()) == 1
    when_due()
    assert kept(town).failed_mails == 1


@pytest.mark.xdist_group("smtp")
def test_messages_that_the_relay_refuses_are_counted_by_reason(
    town: Town, commit: Capture, settings: Any
) -> None:
    """From the server's real answer to the kept figures; while they wait, they are counted again."""
    from tests.console.test_health import relay

    content = Content(subject="Bonjour", sentence="Une phrase.", why="Parce que.")
    with relay(settings, MAIL="530 5.7.0 Authentication required"):
        for name in ("one", "two"):
            queue(compose(kind="test", to=f"{name}@example.net", content=content, letterhead=letterhead()))
        with commit():
            deliver_outbox()
    assert set(OutgoingMail.objects.values_list("state", flat=True)) == {MailState.QUEUED}
    agenda.plan(figures.KIND, timezone.now())
    found = figures.refresh()
    assert found.mail_problems == {"us": {"failed": 0, "waiting": 2}}
    assert (found.stuck_mails, found.bounced_mails, found.failed_mails) == (2, 0, 0)
    [item] = planned()
    assert item.due_at - timezone.now() <= figures.AGAIN
    assert queries.waiting_mails() == {"us": 2}


def test_troubles_of_mails_go_away_by_themselves(town: Town) -> None:
    """A refused address is no trouble of the platform, and one of last month is none at all."""
    soon = timezone.now()
    for name, problem in (("a", "address"), ("b", "copy"), ("c", "us")):
        OutgoingMail.objects.create(
            kind="test", to=f"{name}@example.net", state=MailState.FAILED, problem=problem, next_try_at=soon
        )
    agenda.plan(figures.KIND, soon)
    found = figures.refresh()
    assert (found.failed_mails, found.stuck_mails, found.bounced_mails) == (3, 1, 1)
    [item] = planned()
    assert figures.AGAIN < item.due_at - timezone.now() <= figures.TOMORROW
    OutgoingMail.objects.update(created_at=timezone.now() - timedelta(days=8))
    agenda.plan(figures.KIND, timezone.now())
    found = figures.refresh()
    assert (found.failed_mails, found.stuck_mails, found.bounced_mails) == (3, 0, 0)
    assert not planned()


def test_imports_that_were_interrupted(town: Town) -> None:
    batch = Batch.objects.create(
        source=default_source(), created_by="system", rows_name="f", rows_key="f", state="failed"
    )
    assert figures.refresh().failed_imports == 1
    Batch.objects.filter(pk=batch.pk).update(state="discarded")
    assert figures.refresh().failed_imports == 0


def test_many_facts_plan_one_count(town: Town, commit: Capture, django_assert_num_queries: Any) -> None:
    from django.db import transaction

    with commit() as promises, transaction.atomic():
        for n in range(10):
            audit.record("test.happened", actor="system", obj=str(n))
    assert len(promises) == 1
    assert len(planned()) == 1


def test_the_platform_s_own_facts_count_nothing(db: None, commit: Capture) -> None:
    from django.db import transaction

    with commit() as promises, transaction.atomic():
        audit.record("test.happened", actor="system")
    assert not promises
    assert not planned()


def test_once_counted_a_quiet_town_is_forgotten(town: Town) -> None:
    agenda.plan(figures.KIND, timezone.now())
    tasks.refresh_figures()
    assert not planned()


def test_a_fact_that_comes_while_counting_is_counted_for(town: Town, monkeypatch: Any) -> None:
    agenda.plan(figures.KIND, timezone.now() + agenda.RETRY)  # as beat leaves it when it starts the task
    count = figures._count

    def meanwhile(present: Any) -> dict[str, Any]:
        agenda.plan(figures.KIND, timezone.now() + figures.DEBOUNCE)
        return count(present)

    monkeypatch.setattr(figures, "_count", meanwhile)
    tasks.refresh_figures()
    [item] = planned()
    assert item.due_at - timezone.now() <= figures.DEBOUNCE


@pytest.mark.parametrize("kind", ["import", "mail", "attempt"])
def test_what_waits_is_seen_and_looked_at_again(
    town: Town, kind: str, make_invoice: Callable[..., Invoice], make_payer: Any
) -> None:
    from tenant_apps.payments.models import Attempt

    agenda.plan(figures.KIND, timezone.now())
    long_ago = timezone.now() - timedelta(hours=2)
    if kind == "import":
        batch = Batch.objects.create(
            source=default_source(), created_by="system", rows_name="f", rows_key="f", state="checking"
        )
        Batch.objects.filter(pk=batch.pk).update(beat_at=long_ago)
    elif kind == "mail":
        OutgoingMail.objects.create(kind="test", to="a@example.net", next_try_at=long_ago)
    else:
        invoice = make_invoice(make_payer())
        Attempt.objects.create(
            invoice=invoice, product=invoice.product, provider="payfip", merchant="001964", fiscal_year="2026",
            reference="x", label="x", amount=invoice.amount, email="a@example.net", mode="W", state="review",
            free_at=long_ago,
        )  # fmt: skip
    found = figures.refresh()
    assert found.held_attempts == (kind == "attempt")
    assert (found.import_since == long_ago) == (kind == "import")
    if kind == "attempt":  # a person must act: no worker is late, and the person's act is a fact
        assert not planned()
    else:
        assert found.waiting_since == long_ago
        [item] = planned()
        assert timedelta(minutes=4) < item.due_at - timezone.now() <= figures.AGAIN
