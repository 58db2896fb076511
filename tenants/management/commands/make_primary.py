"""`manage.py make_primary SLUG HOST`: links lead to that host, and the platform's redirects to it. Instant."""

from typing import Any

from tenants.hosts import domains, registry
from tenants.management.domain_command import DomainCommand
from tenants.models import Town


class Command(DomainCommand):
    help = __doc__

    def act(self, town: Town, options: dict[str, Any]) -> str:
        domain = domains.make_primary(town=town, host=options["host"])
        return f"{town.name} a maintenant pour adresse {registry.address(domain.domain)}."
