"""The second cluster goes away: its towns say so calmly, the others notice nothing, and the rest waits.

It is really stopped, which takes seconds; so a test looks at many things in one silence.
"""

from collections.abc import Callable

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.treasury import services as treasury
from tenants.current import REGISTRY, in_shard, leave
from tenants.databases import mirrors
from tenants.models import Domain, Town
from tenants.states import TownState
from tenants.work import agenda, operations
from tests.shards.conftest import SOUTH, Cluster, add_account, browser

pytestmark = pytest.mark.xdist_group("shards")


@pytest.fixture
def northern(open_at: Callable[[str], Town]) -> Town:
    return open_at(REGISTRY)


@pytest.fixture
def silent(southern: Town, northern: Town, south: Cluster) -> Cluster:
    """Both towns have been visited and have work due, then the second server stops."""
    for town in (southern, northern):
        add_account(town, "alice@example.net")
        browser(town, "alice@example.net")
        with tenant_context(town):
            treasury.add_route(kind="payfip", token=f"idop-{town.slug}")
            agenda.plan("mail", timezone.now())
    leave()
    south.stop()
    return south


def test_those_who_come(
    silent: Cluster, southern: Town, northern: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
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

    ready, databases = Client().get("/healthz/ready"), Client().get("/healthz/databases")
    assert (ready.status_code, ready.json()) == (200, {"postgresql": True, "schema": True, "redis": True})
    assert (databases.status_code, databases.json()) == (503, {REGISTRY: True, SOUTH: False})

    monkeypatch.setattr(treasury, "shard_aliases", lambda: [SOUTH, REGISTRY])  # the silent one is asked first
    caller = Client(headers={"host": "paiement.localhost"}, raise_request_exception=False)
    assert caller.post("/payfip/notification/", {"idop": f"idop-{northern.slug}"}).status_code == 200
    assert caller.post("/payfip/notification/", {"idop": f"idop-{southern.slug}"}).status_code == 503

    silent.start()
    assert browser(southern, "alice@example.net").get("/factures/").status_code == 200
    assert caller.post("/payfip/notification/", {"idop": f"idop-{southern.slug}"}).status_code == 200
    assert Client().get("/healthz/databases").status_code == 200


def test_the_work_of_the_others_goes_on(
    silent: Cluster, southern: Town, northern: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr(agenda, "hint", lambda task, *args: started.append(task.name))
    monkeypatch.setattr(agenda, "shard_aliases", lambda: [SOUTH, REGISTRY])  # the silent one is asked first
    agenda.run()
    assert (started, operations.sweep()) == (["mail.deliver_outbox"], 0)
    started.clear()

    call_command("suspend_town", southern.slug)
    assert "momentanément fermé" in browser(southern).get("/").content.decode()

    silent.start()
    call_command("resume_town", southern.slug)
    assert browser(southern).get("/").status_code == 200
    leave()
    agenda.run()
    assert "mail.deliver_outbox" in started  # what waited there
    with in_shard(SOUTH):
        assert Town.objects.get(pk=southern.pk).state == TownState.OPEN


def test_what_the_operator_asks_is_refused_by_name(silent: Cluster, southern: Town, northern: Town) -> None:
    words = "La base « south » ne répond pas"
    with pytest.raises(CommandError, match=words):
        call_command("create_town", "lauzerte", "Lauzerte", "--contact", "x@example.org", "--shard", SOUTH)
    assert Town.objects.get(slug="lauzerte").state == TownState.OPENING  # served to nobody
    call_command("create_town", "lauzerte", "Lauzerte", "--contact", "x@example.org")
    town = Town.objects.get(slug="lauzerte")
    assert (town.shard, town.state) == (REGISTRY, TownState.OPEN)

    Town.objects.filter(pk__in=[southern.pk, northern.pk]).update(schema_version="old")
    with pytest.raises(CommandError, match=words):
        call_command("migrate_towns")
    northern.refresh_from_db()
    assert northern.schema_version != "old"

    with pytest.raises(CommandError, match=words):
        call_command("move_town", northern.slug, to=SOUTH)
    northern.refresh_from_db()
    assert northern.read_only_since is None
    assert browser(northern, "alice@example.net").get("/factures/").status_code == 200


def test_a_copy_left_there_gives_way(south: Cluster, southern: Town) -> None:
    """The registry forgot a town while its shard was silent; the name is taken again."""
    with in_shard(SOUTH):
        Town.objects.filter(pk=southern.pk).delete()
        old = Town(
            pk=southern.pk + 1_000_000, slug=southern.slug, schema_name=southern.schema_name, shard=SOUTH
        )
        Town.objects.bulk_create([old])
        Domain.objects.create(tenant=old, domain=f"{southern.slug}.localhost")
    mirrors.mirror(southern)
    with in_shard(SOUTH):
        assert list(Town.objects.filter(slug=southern.slug).values_list("pk", flat=True)) == [southern.pk]
