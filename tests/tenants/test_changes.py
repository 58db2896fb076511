"""What one process changes in the registry is heard by the others in a known time, and never missed."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_tenants.utils import tenant_context

from tenant_apps.townhall import queries as townhall
from tenant_apps.townhall import services
from tenants.current import enter, leave
from tenants.hosts import changes, registry
from tenants.models import Domain, DomainKind, Town
from tests.conftest import listen_each_time
from tests.tenants.conftest import statements


@pytest.fixture
def place(live_town: Town, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], registry.Place | None]]:
    """What this process takes the town's host for; it listens each time it is asked."""
    leave()
    listen_each_time(monkeypatch)
    host = Domain.objects.get(tenant=live_town).domain
    registry.forget()
    for _look in range(2):  # an old transaction, of any database of the server: the opening is heard of now
        registry.place_of_host(host)
    yield lambda: registry.place_of_host(host)
    leave()


def elsewhere(work: Callable[[], Any]) -> None:
    """`work` as another process does it: on a connection of its own, with nothing forgotten here."""

    def run() -> None:
        try:
            leave()
            work()
        finally:
            connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)


def test_a_change_is_heard_and_nothing_else_is_asked(place: Any, live_town: Town) -> None:
    first = place()
    assert place() is first
    elsewhere(lambda: Town.objects.filter(pk=live_town.pk).update(name="Saint-Essai"))
    assert (first.town.name, place().town.name) == ("Commune d'essai", "Saint-Essai")
    found = place()
    elsewhere(lambda: Town.objects.filter(pk=live_town.pk).update(name="Saint-Essai"))  # changes nothing
    elsewhere(lambda: Town.objects.exclude(pk=live_town.pk).update(insee=""))
    assert place() is found


def test_within_the_delay_no_statement_at_all(
    place: Any, live_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "SECONDS", 60)
    first = place()
    elsewhere(lambda: Town.objects.filter(pk=live_town.pk).update(name="Saint-Essai"))
    with statements(0):
        assert place() is first
    monkeypatch.setattr(registry, "SECONDS", 0)
    assert place().town.name == "Saint-Essai"


def test_its_domains_are_its_own_changes(place: Any, live_town: Town) -> None:
    mine = f"factures.{live_town.slug}.example.fr"
    place()
    assert registry.place_of_host(mine) is None
    custom = {"kind": DomainKind.CUSTOM, "proven_at": timezone.now(), "is_primary": False}
    elsewhere(lambda: Domain.objects.create(tenant=live_town, domain=mine, **custom))
    assert registry.place_of_host(mine).town == live_town  # type: ignore[union-attr]
    elsewhere(lambda: Domain.objects.filter(domain=mine).delete())
    assert registry.place_of_host(mine) is None
    elsewhere(lambda: Domain.objects.filter(tenant=live_town).delete())
    assert place() is None


def test_an_early_transaction_that_commits_late_is_not_missed(place: Any, live_town: Town) -> None:
    written, may_end = threading.Event(), threading.Event()

    def slowly() -> None:
        with transaction.atomic():
            Town.objects.filter(pk=live_town.pk).update(name="Saint-Tardif")
            written.set()
            may_end.wait(20)

    thread = threading.Thread(target=lambda: elsewhere(slowly))
    thread.start()
    assert written.wait(20)
    # Others begin after it, end before it, and are heard of.
    for n in range(3):
        elsewhere(lambda n=n: Town.objects.exclude(pk=live_town.pk).update(insee=f"0000{n}"))  # type: ignore[misc]
        assert place().town.name == "Commune d'essai"
    may_end.set()
    thread.join(20)
    assert place().town.name == "Saint-Tardif"
    elsewhere(lambda: Town.objects.exclude(pk=live_town.pk).update(insee=""))


def test_what_was_read_before_a_change_is_not_kept_after_it(
    place: Any, live_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One thread reads the row, the change comes and another thread hears of it, then the first would keep it."""
    place()  # listened once
    registry.forget()
    really = registry._look_up

    def slowly(host: str) -> registry.Place | None:
        found = really(host)
        monkeypatch.setattr(registry, "_look_up", really)
        Town.objects.filter(pk=live_town.pk).update(name="Saint-Essai")
        elsewhere(place)
        return found

    monkeypatch.setattr(registry, "_look_up", slowly)
    assert place().town.name == "Commune d'essai"  # true when it was read
    monkeypatch.setattr(registry, "SECONDS", 60)
    assert place().town.name == "Saint-Essai"


def test_another_server_with_a_count_of_its_own(
    place: Any, live_town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The registry was restored elsewhere: its transactions are counted from the start, and all is asked anew."""
    first = place()
    monkeypatch.setattr(changes, "since", lambda seen: (seen - 1, set()))
    assert place() is not first


def test_rows_that_everybody_has_read_go(place: Any, live_town: Town) -> None:
    """A hundred with each change, so that none waits long for it."""
    old = "FROM public.tenants_change WHERE at < now() - interval '1 day'"
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE public.tenants_change")
        cursor.execute(
            "INSERT INTO public.tenants_change (town_id, at) "
            "SELECT 0, now() - interval '2 days' FROM generate_series(1, 150)"
        )
        for name, left in (("Saint-Essai", 50), ("Saint-Épreuve", 0)):
            Town.objects.filter(pk=live_town.pk).update(name=name)
            cursor.execute(f"SELECT count(*) {old}")
            assert cursor.fetchone()[0] == left
        cursor.execute("SELECT count(*) FROM public.tenants_change WHERE town_id = %s", [live_town.pk])
        assert cursor.fetchone()[0] == 2


def test_what_a_town_shows_is_announced(place: Any, live_town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "forget", lambda: None)  # which is another process's own affair

    def phone() -> str:
        enter(place().town)
        try:
            return townhall.shown_townhall().phone
        finally:
            leave()

    def change() -> None:
        with tenant_context(live_town):
            services.change_townhall(actor="system", phone="05 11 22 33 44")

    assert phone() == ""
    elsewhere(change)
    assert phone() == "05 11 22 33 44"
    enter(place().town)
    with statements(0):
        townhall.shown_townhall()
