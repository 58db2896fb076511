"""`manage.py create_town SLUG NAME --contact ADDRESS [--manager ADDRESS]`: open a town and print its address.

An operation, done in the foreground: after a kill, the same command goes on where it was.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shared_apps.audit.services import SYSTEM
from shared_apps.console.opening import NewTown, open_now
from tenants.current import REGISTRY
from tenants.errors import TownError
from tenants.hosts import registry
from tenants.life import services
from tenants.models import Operation


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
        new = NewTown(
            slug=options["slug"],
            name=options["name"],
            contact_email=contact,
            manager=options["manager"],
            siren=options["siren"],
            insee=options["insee"],
            legal_name=options["legal_name"],
            shard=options["shard"],
        )
        try:
            open_now(actor=SYSTEM, new=new, watch=self.show)
        except TownError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(registry.address_of(services.town_named(new.slug)))

    def show(self, operation: Operation) -> None:
        """Print each step on a line."""
        self.stdout.write(f"{operation.done}/{operation.total} {operation.step}")
