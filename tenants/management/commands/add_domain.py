"""`manage.py add_domain SLUG HOST`: claim a town's own domain, and print the DNS record to publish. Instant."""

from typing import Any

from tenants.hosts import domains
from tenants.management.domain_command import DomainCommand
from tenants.models import Town


class Command(DomainCommand):
    help = __doc__

    def act(self, town: Town, options: dict[str, Any]) -> str:
        record = domains.add_domain(town=town, host=options["host"])
        return (
            "Faites publier cet enregistrement dans le DNS, puis lancez « check_domain » :\n"
            f'{record.name}. IN TXT "{record.value}"'
        )
