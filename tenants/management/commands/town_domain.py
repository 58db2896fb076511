"""`manage.py town_domain ACT SLUG HOST`: a town's own domain, from its claim to its end.

add: claim it, and print the DNS record to publish. check: look for that record (a few seconds); once it is there, the
domain is served. primary: links lead to that host, and the platform's address redirects to it. remove: it is the
town's no more.
"""

from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser

from tenants.hosts import domains, registry
from tenants.management.town_command import TownCommand
from tenants.models import Town


def add(town: Town, host: str) -> str:
    record = domains.add_domain(town=town, host=host)
    return (
        "Faites publier cet enregistrement dans le DNS, puis lancez « town_domain check » :\n"
        f'{record.name}. IN TXT "{record.value}"'
    )


def check(town: Town, host: str) -> str:
    domain = domains.check_domain(town=town, host=host)
    return f"« {domain.domain} » est vérifié : il répond pour {town.name}."


def make_primary(town: Town, host: str) -> str:
    domain = domains.make_primary(town=town, host=host)
    return f"{town.name} a maintenant pour adresse {registry.address(domain.domain)}."


def remove(town: Town, host: str) -> str:
    if domains.remove_domain(town=town, host=host):
        return f"« {host} » n'est plus un domaine de {town.name}."
    return f"« {host} » n'était pas un domaine de {town.name}."


ACTS: dict[str, Callable[[Town, str], str]] = {
    "add": add,
    "check": check,
    "primary": make_primary,
    "remove": remove,
}


class Command(TownCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("act", choices=ACTS)
        super().add_arguments(parser)
        parser.add_argument("host")

    def act(self, town: Town, options: dict[str, Any]) -> str:
        return ACTS[options["act"]](town, options["host"])
