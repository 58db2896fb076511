"""A town of another database: its figures are kept in the registry, and its agents can be stood in for."""

from django.test import Client
from django.utils import timezone
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Account, Role
from shared_apps.accounts.sessions import impersonation
from shared_apps.console import tasks
from shared_apps.console.models import TownFigures
from shared_apps.console.watch import figures
from tenants.current import REGISTRY, in_shard, leave
from tenants.models import AgendaItem, Operation, Town
from tests.tenants.conftest import committed as committed
from tests.tenants.conftest import said
from tests.tenants.test_archive_shard import second as second


def test_counted_there_and_kept_here(second: str, committed: str) -> None:
    said("create_town", committed, "Commune", "--manager", "maire@example.org", "--shard", second)
    town = Town.objects.get(slug=committed)
    try:
        with in_shard(second):
            item = AgendaItem.objects.get(town_id=town.pk, kind=figures.KIND)  # its opening is a fact
            AgendaItem.objects.filter(pk=item.pk).update(due_at=timezone.now())
        with tenant_context(town):
            tasks.refresh_figures()
        leave()
        kept = TownFigures.objects.get(town_id=town.pk)
        assert kept.waiting_since is not None  # the invitation of its manager
        with in_shard(second):
            assert not TownFigures.objects.filter(town_id=town.pk).exists()
            assert AgendaItem.objects.get(pk=item.pk).due_at > timezone.now()
    finally:
        _forget(town)


def test_an_agent_is_stood_in_for(second: str, committed: str) -> None:
    said("create_town", committed, "Commune", "--manager", "maire@example.org", "--shard", second)
    town = Town.objects.get(slug=committed)
    operator = Account.objects.create(email="shard@example.net", role=Role.OPERATOR)
    try:
        with tenant_context(town):
            manager = Account.objects.get(email="maire@example.org")
            ticket = impersonation.ask(operator=operator, account=manager, reason="Ticket 9 : vérifier")
        leave()
        browser = Client(headers={"host": f"{committed}.localhost"})
        assert browser.post(f"/gestion/intervention/{ticket}/").status_code == 302
        assert "shard@example.net" in browser.get("/gestion/interventions/").content.decode()
        leave()
    finally:
        _forget(town)
        Account.objects.filter(pk=operator.pk)._raw_delete(REGISTRY)


def _forget(town: Town) -> None:
    leave()
    Town.objects.filter(pk=town.pk).delete()
    Operation.objects.filter(subject=town.slug).delete()
