"""Base of the commands about one town."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants.errors import TownError
from tenants.life import services
from tenants.models import Town


class TownCommand(BaseCommand):
    """`manage.py <verb> SLUG …`: what `act` returns is printed, and a TownError is the refusal."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.stdout.write(self.act(services.town_named(options["slug"]), options))
        except TownError as error:
            raise CommandError(str(error)) from None

    def act(self, town: Town, options: dict[str, Any]) -> str:
        """Do it, and return what to print: a sentence or a few lines."""
        raise NotImplementedError
