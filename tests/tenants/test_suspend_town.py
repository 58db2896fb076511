"""Suspended: its own page, its jobs wait, nothing is lost. Resumed: all of it happens."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail as sent
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.content import Content
from shared_apps.mail.models import OutgoingMail
from shared_apps.mail.services import compose, queue
from shared_apps.mail.tasks import deliver_outbox
from tenant_apps.invoices.models import Batch, Invoice
from tenant_apps.invoices.services import create_batch
from tenant_apps.invoices.tasks import process_batches
from tenant_apps.payments.models import Attempt
from tenant_apps.payments.online.paying import start_payment
from tenant_apps.payments.tasks import check_due
from tenant_apps.townhall.queries import letterhead
from tenants.life import services
from tenants.models import AgendaItem, Town
from tenants.states import TownState
from tenants.work import agenda
from tests.payments.conftest import Simulator
from tests.payments.conftest import simulator as simulator
from tests.tenants.conftest import statements

CSV = (
    "Numéro;Date;Échéance;Montant;Objet;Code redevable;Nom;Prénom;E-mail\r\n"
    "2026-001-000777;02/09/2026;31/12/2026;25,00 €;CANTINE;F001;MARTIN;Alice;alice@example.net"
).encode()


@pytest.fixture
def attempt(
    town: Town, make_account: Any, make_payer: Any, make_invoice: Callable[..., Invoice], simulator: Simulator
) -> Attempt:
    alice: Account = make_account("alice@example.net")
    return start_payment(actor=alice, invoice=make_invoice(make_payer(alice))).attempt


def now_as(town: Town) -> Any:
    """In the town, as a worker that has just read its row."""
    return tenant_context(Town.objects.get(pk=town.pk))


def work() -> None:
    """What the worker would do of what is queued."""
    deliver_outbox()
    process_batches()
    check_due()


def states() -> tuple[str, str, str]:
    return (
        OutgoingMail.objects.get(kind="test").state,
        Batch.objects.get().state,
        Attempt.objects.get().state,
    )


def test_its_page(town: Town, manage: Any, visit: Any) -> None:
    its = AuditEntry.objects.filter(object=f"town:{town.uuid}")
    connection.set_schema_to_public()
    assert "suspendue" in manage("suspend_town", "mairie", "--reason", "impayé")
    for path in ("/factures/", "/gestion/", "/?LIEN=X", "/nulle-part/"):
        page = visit("mairie.localhost", path)
        assert page.status_code == 503
        assert page["Retry-After"] == "3600"
        assert page["Cache-Control"] == "no-store"
    assert "momentanément fermé" in page.content.decode()
    assert visit("mairie.localhost", method="post").status_code == 503
    assert visit("pechabou.localhost").status_code == 200
    manage("suspend_town", "mairie")  # twice changes nothing
    entry = its.get(verb="town.suspended")
    assert (entry.old["state"], entry.new["reason"]) == ("open", "impayé")
    manage("resume_town", "mairie")
    assert visit("mairie.localhost").status_code == 200
    assert its.filter(verb="town.resumed").count() == 1


def test_its_page_touches_no_town(town: Town, manage: Any) -> None:
    """The town may be suspended because its database is ill."""
    manage("suspend_town", "mairie")
    with statements(1):  # of the registry
        assert Client(headers={"host": "mairie.localhost"}).get("/").status_code == 503


def test_refused(db: None, manage: Any) -> None:
    with pytest.raises(CommandError, match="Aucune commune"):
        manage("suspend_town", "nulle-part")
    Town.objects.filter(slug="mairie").update(state=TownState.CLOSED)
    for command in ("suspend_town", "resume_town"):
        with pytest.raises(CommandError, match="impossible"):
            manage(command, "mairie")


def test_what_is_due_waits_and_then_happens(town: Town, attempt: Attempt, simulator: Simulator) -> None:
    queue(
        compose(
            kind="test",
            to="alice@example.net",
            content=Content(subject="Bonjour", sentence="Une phrase.", why="Parce que."),
            letterhead=letterhead(),
        )
    )
    create_batch(actor="system", rows_file=io.BytesIO(CSV), rows_name="f.csv")
    simulator.act(attempt.operation, "pay")
    Attempt.objects.update(next_check_at=timezone.now())
    AgendaItem.objects.update(due_at=timezone.now())
    before = states()
    services.set_state(town=town, to=TownState.SUSPENDED)

    assert agenda.run() == 0  # held, all three
    with now_as(town):
        deliver_outbox()
        process_batches()  # these were queued already, and leave at once
    assert states() == before
    assert agenda.run() == 0
    held = AgendaItem.objects.filter(town=town, due_at__gt=timezone.now()).values_list("kind", flat=True)
    assert {"payments", "mail", "imports"} <= set(held)

    services.set_state(town=town, to=TownState.OPEN)
    assert agenda.run() >= 3
    with now_as(town):
        work()
    assert states() == ("sent", "ready", "paid")
    assert [message.subject for message in sent.outbox] == ["Bonjour"]


def test_the_notification_arrives_for_a_payment_made_just_before(
    town: Town, attempt: Attempt, simulator: Simulator
) -> None:
    simulator.act(attempt.operation, "pay")
    services.set_state(town=town, to=TownState.SUSPENDED)
    answer = Client(headers={"host": "paiement.localhost"}).get(
        "/payfip/notification/", {"idop": attempt.operation}
    )
    assert answer.status_code == 200
    with now_as(town):
        check_due()
        attempt.refresh_from_db()
        assert attempt.state == "paid"
        attempt.invoice.refresh_from_db()
        assert attempt.invoice.is_paid
        deliver_outbox()
    assert not sent.outbox  # the receipt waits until the town is resumed


def test_a_task_of_a_town_that_is_gone_does_nothing(db: None) -> None:
    """The library stays in public when it finds no town: the task must not do there what was asked elsewhere."""
    from shared_apps.accounts.models import Link

    link = Link.objects.create(purpose="activation", email="x@example.net")
    from tenant_apps.residents.tasks import handle_links

    handle_links.apply(headers={"_schema_name": "t_disparue"})
    link.refresh_from_db()
    assert link.handled_at is None


@pytest.mark.parametrize("verb", ["resume_town", "suspend_town"])
def test_a_half_made_town_is_not_put_online_by_hand(town: Town, verb: str) -> None:
    """Its opening, or its restoration, says itself when it is whole: until then there may be no schema at all."""
    Town.objects.filter(pk=town.pk).update(state=TownState.OPENING)
    with pytest.raises(CommandError, match="en cours d'ouverture"):
        call_command(verb, town.slug)
    assert Town.objects.get(pk=town.pk).state == TownState.OPENING


def test_its_answers_are_no_breakdown(town: Town, manage: Any, visit: Any, caplog: Any) -> None:
    """A suspended town's visitors would else fill the log with errors that nobody has to look at."""
    manage("suspend_town", "mairie", "--reason", "Essai")
    caplog.clear()
    assert visit("mairie.localhost").status_code == 503
    said = [record.levelname for record in caplog.records if record.name == "django.request"]
    assert said == ["INFO"]
