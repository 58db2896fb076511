"""The same life for a town of another database: its copy of the registry's rows follows each act."""

from typing import Any

from django.test import Client
from django.utils import timezone
from django_tenants.utils import tenant_context

from tenant_apps.townhall.queries import letterhead
from tenants.current import in_shard, leave
from tenants.hosts import domains, registry
from tenants.life import town_closure
from tenants.models import AgendaItem, Domain, Operation, Town
from tests.tenants.conftest import said
from tests.tenants.test_archive_shard import second as second


def answer(host: str) -> int:
    registry.forget()
    status = Client(headers={"host": host}).get("/").status_code
    leave()
    return status


def test_opened_renamed_made_its_own_suspended_closed(second: str, committed: str) -> None:
    new = f"{committed}-2"
    said("create_town", committed, "Commune", "--manager", "x@example.org", "--shard", second)
    assert answer(f"{committed}.localhost") == 200
    said("rename_town", committed, new)
    town = Town.objects.get(slug=new)
    try:
        assert (answer(f"{committed}.localhost"), answer(f"{new}.localhost")) == (301, 200)
        host = f"factures.{committed}.fr"
        domains.add_domain(town=town, host=host)
        Domain.objects.filter(domain=host).update(proven_at=timezone.now())
        domains.make_primary(town=town, host=host)
        with tenant_context(Town.objects.get(pk=town.pk)):
            assert letterhead()["address"] == registry.address(host)  # read in its own database
        assert (answer(host), answer(f"{new}.localhost")) == (200, 301)

        said("suspend_town", new)
        assert answer(host) == 503
        said("resume_town", new)
        with in_shard(second):
            assert AgendaItem.objects.get(town_id=town.pk, kind="mail").due_at <= timezone.now()
        town_closure.close_town(town=town, days=1, reason="essai")
        Town.objects.filter(pk=town.pk).update(closes_at=timezone.now())
        assert town_closure.sweep() == 1
        assert answer(host) == 410
        with in_shard(second):
            copy: Any = Town.objects.get(pk=town.pk)
            assert (copy.state, copy.slug) == ("closed", new)
            assert set(
                Domain.objects.filter(tenant=copy, is_primary=True).values_list("domain", flat=True)
            ) == {host}
    finally:
        leave()
        Town.objects.filter(pk=town.pk).delete()
        Operation.objects.filter(subject__in=[committed, new]).delete()
