"""`manage.py remove_domain SLUG HOST`: the domain no longer belongs to the town. Instant."""

from typing import Any

from tenants.hosts import domains
from tenants.management.domain_command import DomainCommand
from tenants.models import Town


class Command(DomainCommand):
    help = __doc__

    def act(self, town: Town, options: dict[str, Any]) -> str:
        if domains.remove_domain(town=town, host=options["host"]):
            return f"« {options['host']} » n'est plus un domaine de {town.name}."
        return f"« {options['host']} » n'était pas un domaine de {town.name}."
