"""Opening a town so that it can serve at once: registry, schema, settings, first manager."""

from shared_apps.accounts.models import Role
from shared_apps.accounts.services import create_account
from shared_apps.audit import services as audit
from tenant_apps.residents.services import request_activation
from tenant_apps.townhall.models import Protocol
from tenant_apps.townhall.services import set_up_product, set_up_townhall
from tenants.current import REGISTRY
from tenants.models import Town
from tenants.services import open_town


def open_ready_town(
    *,
    actor: audit.Actor,
    slug: str,
    name: str,
    contact_email: str,
    manager: str = "",
    legal_name: str = "",
    siren: str = "",
    insee: str = "",
    shard: str = REGISTRY,
) -> Town:
    """Open a town with its settings, a default product without online payment, and its first manager invited.

    All of it or nothing. `manager` receives the ordinary activation message. Raises TownError, or
    ValidationError for an address that is none.
    """

    def furnish(town: Town) -> None:
        set_up_townhall(actor=actor, name=name, contact_email=contact_email)
        set_up_product(actor=actor, code="GENERAL", label="Factures", protocol=Protocol.NONE, is_default=True)
        if manager:
            create_account(actor=actor, email=manager, role=Role.MANAGER)
            request_activation(email=manager)

    return open_town(
        actor=actor,
        slug=slug,
        name=name,
        legal_name=legal_name,
        siren=siren,
        insee=insee,
        shard=shard,
        furnish=furnish,
    )
