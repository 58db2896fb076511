"""`manage.py create_town SLUG NAME`: open a town and print its address."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants import registry, services
from tenants.errors import TownError


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("name")
        parser.add_argument("--siren", default="")
        parser.add_argument("--insee", default="")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            town = services.open_town(
                slug=options["slug"], name=options["name"], siren=options["siren"], insee=options["insee"]
            )
        except TownError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(registry.address_of(town))
