"""Opening a town so that it can serve at once: registry, schema, settings, first manager."""

from django.db import transaction
from django_tenants.utils import schema_context, tenant_context

from shared_apps.accounts.models import Role
from shared_apps.accounts.services import create_account
from shared_apps.audit import services as audit
from tenant_apps.residents.services import request_activation
from tenant_apps.townhall.models import Protocol
from tenant_apps.townhall.services import set_up_product, set_up_townhall
from tenants.models import Town
from tenants.services import open_town


def open_ready_town(
    *,
    actor: audit.Actor,
    slug: str,
    name: str,
    contact_email: str,
    manager: str = "",
    siren: str = "",
    insee: str = "",
) -> Town:
    """Open a town with its settings, a default product without online payment, and its first manager invited.

    All of it or nothing. `manager` receives the ordinary activation message. Raises TownError, or
    ValidationError for an address that is none.
    """
    with schema_context("public"), transaction.atomic():
        town = open_town(slug=slug, name=name, siren=siren, insee=insee)
        audit.record("town.opened", actor=actor, obj=f"town:{town.uuid}", new={"slug": slug, "name": name})
        with tenant_context(town):
            set_up_townhall(actor=actor, name=name, contact_email=contact_email)
            set_up_product(
                actor=actor, code="GENERAL", label="Factures", protocol=Protocol.NONE, is_default=True
            )
            if manager:
                create_account(actor=actor, email=manager, role=Role.MANAGER)
                request_activation(email=manager)
    return town
