"""A command that moves one town to a state."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants import services
from tenants.errors import TownError
from tenants.states import TownState


class StateCommand(BaseCommand):
    """`manage.py <verb>_town SLUG`. Asking for the state that the town is in changes nothing."""

    to: TownState

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            town = services.set_state(town=services.town_named(options["slug"]), to=self.to)
        except TownError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{town.name} : {town.get_state_display()}.")
