"""The second cluster goes away: its towns say so calmly, the others notice nothing, and the rest waits."""

from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from shared_apps.treasury import services as treasury
from tenants import agenda, mirrors, operations
from tenants.current import REGISTRY, at, homes
from tenants.models import AgendaItem, Domain, Town
from tenants.states import TownState
from tests.shards.conftest import SOUTH, Cluster, add_account, browser

pytestmark = pytest.mark.xdist_group("shards")


@pytest.fixture
def northern(open_at: Callable[[str], Town]) -> Town:
    return open_at(REGISTRY)


@pytest.fixture
def silent(southern: Town, northern: Town, south: Cluster) -> Cluster:
    """Both towns have been visited, then the second server is killed."""
    for town in (southern, northern):
        add_account(town, "alice@example.net")
        browser(town, "alice@example.net")
        with at(town.shard):
            AgendaItem.objects.create(town_id=town.pk, kind="mail", due_at=timezone.now())
    south.stop()
    return south


def test_its_towns_say_it_and_the_others_serve(silent: Cluster, southern: Town, northern: Town) -> None:
    for path in ("/", "/factures/", "/contact/", "/theme.css"):
        client = browser(southern)
        client.cookies["session"] = "somebody"
        answer = client.get(path)
        assert (answer.status_code, answer["Retry-After"]) == (503, "30")
        page = answer.content.decode()
        assert "ne répond pas pour le moment" in page
        assert southern.name in page
        assert "Traceback" not in page
    assert browser(southern).post("/", {"email": "x@example.net", "password": "x"}).status_code == 503
    assert browser(northern, "alice@example.net").get("/factures/").status_code == 200


def test_it_serves_again_when_it_is_back(silent: Cluster, southern: Town) -> None:
    assert browser(southern).get("/").status_code == 503
    silent.start()
    assert browser(southern, "alice@example.net").get("/factures/").status_code == 200


def test_health_names_it_and_the_process_stays_in_service(silent: Cluster) -> None:
    client = Client()
    ready = client.get("/healthz/ready")
    assert (ready.status_code, ready.json()) == (200, {"postgresql": True, "redis": True})
    told = client.get("/healthz/databases")
    assert (told.status_code, told.json()) == (503, {REGISTRY: True, SOUTH: False})
    silent.start()
    assert client.get("/healthz/databases").status_code == 200


def test_the_agenda_and_the_sweep_go_on(
    silent: Cluster, northern: Town, southern: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr(agenda, "hint", lambda task, *args: started.append(task.name))
    assert agenda.run() == 1
    assert started == ["mail.deliver_outbox"]
    assert operations.sweep() == 0
    silent.start()
    assert agenda.run() == 1  # what waited there


def test_a_silent_home_in_the_middle_hides_nobody(silent: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agenda, "homes", lambda: [SOUTH, REGISTRY])
    monkeypatch.setattr(agenda, "hint", lambda task, *args: None)
    assert agenda.run() == 1


def test_a_bell_of_a_healthy_town_is_heard_and_another_is_asked_to_come_back(
    silent: Cluster, northern: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django_tenants.utils import tenant_context

    monkeypatch.setattr(treasury, "homes", lambda: [SOUTH, REGISTRY])
    with tenant_context(northern):
        treasury.add_route(kind="payfip", token="idop-of-the-north")
    bell = Client(headers={"host": "paiement.localhost"}, raise_request_exception=False)
    assert bell.post("/payfip/notification/", {"idop": "idop-of-the-north"}).status_code == 200
    assert bell.post("/payfip/notification/", {"idop": "idop-of-the-south"}).status_code == 503


def test_nothing_is_opened_there_and_the_name_stays_free(silent: Cluster) -> None:
    with pytest.raises(CommandError, match="La base « south » ne répond pas"):
        call_command("create_town", "lauzerte", "Lauzerte", "--contact", "x@example.org", "--shard", SOUTH)
    assert Town.objects.get(slug="lauzerte").state == TownState.OPENING  # served to nobody
    call_command("create_town", "lauzerte", "Lauzerte", "--contact", "x@example.org")
    town = Town.objects.get(slug="lauzerte")
    assert (town.shard, town.state) == (REGISTRY, TownState.OPEN)


def test_its_towns_may_still_be_suspended_and_resumed(silent: Cluster, southern: Town) -> None:
    call_command("suspend_town", southern.slug)
    assert "momentanément fermé" in browser(southern).get("/").content.decode()
    silent.start()
    call_command("resume_town", southern.slug)
    assert browser(southern).get("/").status_code == 200
    with at(SOUTH):
        assert Town.objects.get(pk=southern.pk).state == TownState.OPEN


def test_a_copy_left_there_gives_way(south: Cluster, southern: Town) -> None:
    """The registry forgot a town while its shard was silent; the name is taken again."""
    with at(SOUTH):
        Town.objects.filter(pk=southern.pk).delete()
        old = Town(
            pk=southern.pk + 1_000_000, slug=southern.slug, schema_name=southern.schema_name, shard=SOUTH
        )
        Town.objects.bulk_create([old])
        Domain.objects.create(tenant=old, domain=f"{southern.slug}.localhost")
    mirrors.mirror(southern)
    with at(SOUTH):
        assert list(Town.objects.filter(slug=southern.slug).values_list("pk", flat=True)) == [southern.pk]


def test_the_others_are_migrated_and_it_is_named(silent: Cluster, southern: Town, northern: Town) -> None:
    assert SOUTH in homes()
    with pytest.raises(CommandError, match="La base « south » ne répond pas"):
        call_command("migrate_towns")
    Town.objects.filter(pk__in=[southern.pk, northern.pk]).update(schema_version="old")
    with pytest.raises(CommandError, match="La base « south » ne répond pas"):
        call_command("migrate_towns")
    northern.refresh_from_db()
    assert northern.schema_version != "old"
