"""Two workers at the same folder: one import, one message."""

import pytest

from shared_apps.accounts.models import Role
from shared_apps.accounts.services import create_account
from tenant_apps.invoices.batches import processing
from tenant_apps.invoices.inbox import looking
from tenant_apps.invoices.models import Batch
from tenant_apps.residents.models import Arrival, Source
from tenant_apps.residents.sources import default_source
from tenants.models import AgendaItem, Town
from tests.invoices.inbox.conftest import Gateway
from tests.races import at_once
from toolkit import clock
from toolkit.files import objects


@pytest.fixture
def gateway(live_town: Town) -> Gateway:
    clerk = create_account(actor="system", email="clerk@example.net", role=Role.CLERK)
    clerk.activated_at = clock.now()
    clerk.save()
    return Gateway(default_source(), clerk)


def test_one_import(live_town: Town, gateway: Gateway) -> None:
    gateway.set()
    for n in range(4):
        gateway.put(f"{n}.csv", f"N;{n}".encode())
        gateway.put(f"{n}.ok", b"")
    gateway.put("octobre.csv")
    gateway.put("octobre.csv.ok", b"")
    for _ in range(4):
        Source.objects.update(looked_at=None)
        assert at_once(live_town, *[looking.work] * 4) == []
    assert Batch.objects.count() == Arrival.objects.count() == 5
    for _ in range(2):
        assert at_once(live_town, *[processing.process_waiting, looking.work] * 2) == []
    looking.work()
    assert len(gateway.mails()) == 5
    assert not [name for name in gateway.names() if "/" not in name]
    sum(objects.erase(f"{live_town.uuid}/"))


def test_the_agenda_knows_only_towns_that_watch(live_town: Town, gateway: Gateway) -> None:
    from tenant_apps.invoices.tasks import watch_inboxes

    mine = AgendaItem.objects.filter(town=live_town, kind="inbox")
    assert not mine.exists()
    gateway.set()
    assert mine.exists()
    watch_inboxes()
    assert mine.get().due_at > clock.now()  # again in some minutes
    gateway.set(is_watched=False)
    watch_inboxes()
    assert not mine.exists()
