"""Closing: served and announced until the last day, then 410; taken back in between."""

from collections.abc import Callable
from datetime import datetime, time, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connection
from django.test import Client
from django.utils import formats, timezone

from shared_apps.accounts.models import Account, Role
from shared_apps.audit.models import AuditEntry
from tenant_apps.invoices.errors import WrongState
from tenant_apps.invoices.services import create_batch
from tenant_apps.payments.errors import NotPayable
from tenant_apps.payments.online.paying import start_payment
from tenant_apps.payments.payability.reading import payability_of
from tenants.life import services, town_closure
from tenants.models import Town
from tenants.states import TownState
from tenants.tasks import run_agenda
from tests.tenants.conftest import statements
from toolkit import clock


@pytest.fixture
def close(town: Town) -> Callable[..., Town]:
    """`close(days)`: the town closes; « days » of 0 is today, which nobody may ask for but which comes."""

    def go(days: int = 30) -> Town:
        closed = town_closure.close_town(town=town, days=max(days, 1), reason="regroupement")
        if days < 1:
            closed.closes_at = timezone.now() + timedelta(hours=2)
            closed.save()
        connection.set_tenant(closed)
        return closed

    return go


def over(town: Town) -> None:
    Town.objects.filter(pk=town.pk).update(closes_at=timezone.now() - timedelta(seconds=1))


def test_closed_at_the_end_of_the_last_day(manage: Any, visit: Any) -> None:
    last = clock.today() + timedelta(days=30)
    said = manage("close_town", "mairie", "--days", "30", "--reason", "regroupement")
    assert f"jusqu'au {last:%d/%m/%Y} inclus" in said
    town = Town.objects.get(slug="mairie")
    assert (town.state, town.last_day) == (TownState.CLOSING, last)
    assert town.closes_at == datetime.combine(last + timedelta(days=1), time(0), clock.PARIS)
    manage("close_town", "mairie", "--days", "30", "--reason", "encore")  # twice changes nothing
    entry = AuditEntry.objects.get(verb="town.closing")
    assert (entry.new["reason"], entry.old["state"]) == ("regroupement", "open")
    assert town_closure.sweep() == 0
    assert visit("mairie.localhost").status_code == 200
    over(town)
    run_agenda()
    assert visit("mairie.localhost").status_code == 410
    town.refresh_from_db()
    assert town.state == TownState.CLOSED
    assert AuditEntry.objects.get(verb="town.closed").actor == "system"
    assert town_closure.sweep() == 0


def test_the_page_of_a_closed_town(db: None, visit: Any) -> None:
    Town.objects.filter(slug="mairie").update(state=TownState.CLOSED)
    for path in ("/", "/factures/", "/gestion/", "/?LIEN=X"):
        page = visit("mairie.localhost", path)
        assert (page.status_code, page["Cache-Control"]) == (410, "no-store")
    assert "utilise plus ce portail" in page.content.decode()
    assert "https://www.payfip.gouv.fr/" in page.content.decode()
    assert visit("pechabou.localhost").status_code == 200


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--days", "0", "--reason", "x"), "1 à 365"),
        (("--days", "366", "--reason", "x"), "1 à 365"),
        (("--reason", " "), "motif"),
        (("--days", "30"), "reason"),
    ],
)
def test_refused(db: None, manage: Any, words: tuple[str, ...], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        manage("close_town", "mairie", *words)
    assert Town.objects.get(slug="mairie").state == TownState.OPEN


def test_another_date_wants_a_new_decision(close: Callable[..., Town], manage: Any) -> None:
    close(30)
    with pytest.raises(CommandError, match="ferme déjà"):
        manage("close_town", "mairie", "--days", "10", "--reason", "x")
    manage("resume_town", "mairie")
    manage("close_town", "mairie", "--days", "10", "--reason", "x")
    assert Town.objects.get(slug="mairie").last_day == clock.today() + timedelta(days=10)


def test_it_changes_its_mind(close: Callable[..., Town], manage: Any) -> None:
    town = close()
    over(town)  # the delay is over, beat has not looked yet
    manage("resume_town", "mairie")
    assert town_closure.sweep() == 0
    town.refresh_from_db()
    assert (town.state, town.closes_at, town.last_day) == (TownState.OPEN, None, None)
    Town.objects.update(state=TownState.CLOSED)
    with pytest.raises(CommandError, match="impossible"):
        manage("resume_town", "mairie")


def test_nobody_closes_it_before_the_date(close: Callable[..., Town]) -> None:
    town = close()
    with pytest.raises(services.WrongState, match="court encore"):
        services.set_state(town=town, to=TownState.CLOSED)


@pytest.mark.parametrize(
    ("role", "path", "words"),
    [
        (None, "/", "télécharger vos factures"),
        (Role.RESIDENT, "/factures/", "télécharger vos factures"),
        (Role.MANAGER, "/gestion/", "Enregistrez ce dont vous aurez besoin"),
    ],
)
def test_everybody_is_told_the_date(
    close: Callable[..., Town],
    make_account: Callable[..., Account],
    client_for: Callable[..., Client],
    role: Role | None,
    path: str,
    words: str,
) -> None:
    browser = client_for(make_account("x@example.net", role=role) if role else None)
    assert words not in browser.get(path).content.decode()
    town = close()
    services.registry.forget()
    page = browser.get(path).content.decode()
    assert words in page
    assert formats.date_format(town.last_day, "j F Y") in page


def test_paying_goes_on_until_the_day_before(
    close: Callable[..., Town], make_account: Any, make_payer: Any, make_invoice: Any
) -> None:
    alice = make_account("alice@example.net")
    invoice = make_invoice(make_payer(alice))
    close(30)
    assert payability_of(invoice).can
    Town.objects.update(state=TownState.OPEN)
    close(0)
    assert "portail ferme" in payability_of(invoice).reason
    with pytest.raises(NotPayable, match="portail ferme"):
        start_payment(actor=alice, invoice=invoice)


def test_nothing_new_is_put_online_on_the_last_day(
    close: Callable[..., Town], make_account: Any, client_for: Callable[..., Client]
) -> None:
    clerk = make_account("agent@example.net", role=Role.CLERK)
    browser = client_for(clerk)
    close(30)
    create_batch(actor=clerk, rows_file=BytesIO(b"x"), rows_name="x.csv")
    Town.objects.update(state=TownState.OPEN)
    close(0)
    with pytest.raises(WrongState, match="portail ferme"):
        create_batch(actor=clerk, rows_file=BytesIO(b"x"), rows_name="x.csv")
    services.registry.forget()
    rows = BytesIO(b"x")
    rows.name = "x.csv"
    answer = browser.post("/gestion/imports/nouveau/", {"rows": rows})
    assert answer.status_code == 409
    assert "Ce portail ferme" in answer.content.decode()


def test_the_sweep_costs_one_query_however_many_towns(db: None) -> None:
    Town.objects.bulk_create(
        [
            Town(
                slug=f"c{n}",
                name="C",
                schema_name=f"t_c{n}",
                state=TownState.CLOSING if n % 100 == 0 else TownState.OPEN,
                closes_at=timezone.now() + timedelta(days=9) if n % 100 == 0 else None,
            )
            for n in range(2000)
        ]
    )
    with statements(1):
        assert town_closure.sweep() == 0
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tenants_town")
        due = Town.objects.filter(state=TownState.CLOSING, closes_at__lte=timezone.now())
        assert "town_closing" in due.explain()
