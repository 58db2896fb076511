"""The operator forgets a lost second factor of a town's staff."""

from typing import Any

from django.test import Client
from django_tenants.utils import tenant_context

from shared_apps.accounts.models import Role, SecondFactor
from shared_apps.audit.models import AuditEntry
from shared_apps.mail.models import OutgoingMail
from tenants.models import Town
from tests.staff import protect


def test_a_lost_second_factor_is_forgotten_with_a_reason(
    console: Client, town: Town, make_account: Any, other_town: Town
) -> None:
    """For a town's only manager, whom no colleague can help."""
    manager = make_account("chef@example.net", role=Role.MANAGER)
    protect(manager)
    path = f"/communes/mairie/second-facteur/{manager.uuid}/"
    assert path in console.get("/communes/mairie/equipe/").content.decode()
    assert console.get(path).status_code == 200
    for reason in ("", "perdu"):
        assert console.post(path, {"reason": reason}).status_code == 422
    with tenant_context(town):
        assert SecondFactor.objects.filter(account=manager).exists()
    assert (
        console.post(path.replace("mairie", "pechabou"), {"reason": "Rappelé au standard"}).status_code == 404
    )
    with tenant_context(town):
        alice = make_account("alice@example.net")
    assert console.get(f"/communes/mairie/second-facteur/{alice.uuid}/").status_code == 404
    page = console.post(path, {"reason": "Rappelé au standard de la mairie"}, follow=True)
    assert "est oublié" in page.content.decode()
    with tenant_context(town):
        manager.refresh_from_db()
        assert manager.second_factor_at is None
        assert not SecondFactor.objects.filter(account=manager).exists()
        entry = AuditEntry.objects.get(verb="account.second_factor_reset")
        assert entry.actor.startswith("operator:")
        assert entry.new == {"reason": "Rappelé au standard de la mairie"}
        assert OutgoingMail.objects.get().kind == "staff-factor-forgotten"
    assert path not in page.content.decode()
