"""`manage.py check_domain SLUG HOST`: look for the DNS record; once there, the domain is served. A few seconds."""

from typing import Any

from tenants.hosts import domains
from tenants.management.domain_command import DomainCommand
from tenants.models import Town


class Command(DomainCommand):
    help = __doc__

    def act(self, town: Town, options: dict[str, Any]) -> str:
        domain = domains.check_domain(town=town, host=options["host"])
        return f"« {domain.domain} » est vérifié : il répond pour {town.name}."
