"""`manage.py create_town SLUG NAME --contact ADDRESS [--manager ADDRESS]`: open a town and print its address."""

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from shared_apps.audit.services import SYSTEM
from shared_apps.console.services import open_ready_town
from tenants import registry
from tenants.current import REGISTRY
from tenants.errors import TownError


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("name")
        parser.add_argument("--contact", default="", help="where residents' messages go")
        parser.add_argument("--manager", default="", help="the first manager, invited by e-mail")
        parser.add_argument("--siren", default="")
        parser.add_argument("--insee", default="")
        parser.add_argument("--legal-name", default="")
        parser.add_argument("--shard", default=REGISTRY, help="the database where it will live")

    def handle(self, *args: Any, **options: Any) -> None:
        contact = options["contact"] or options["manager"]
        if not contact:
            raise CommandError("Indiquez --contact ou --manager : l'adresse du service de facturation.")
        try:
            town = open_ready_town(
                actor=SYSTEM,
                slug=options["slug"],
                name=options["name"],
                contact_email=contact,
                manager=options["manager"],
                siren=options["siren"],
                insee=options["insee"],
                legal_name=options["legal_name"],
                shard=options["shard"],
            )
        except TownError as error:
            raise CommandError(str(error)) from None
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self.stdout.write(registry.address_of(town))
