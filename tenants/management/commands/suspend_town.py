"""`manage.py suspend_town SLUG`: pause a town; its page says so, nothing is lost."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from tenants import services
from tenants.errors import TownError
from tenants.states import TownState


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            town = services.set_state(town=services.town_named(options["slug"]), to=TownState.SUSPENDED)
        except TownError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{town.name} : {town.get_state_display()}.")
