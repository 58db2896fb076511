"""A command that moves one town to a state."""

from typing import Any

from django.core.management.base import CommandParser

from tenants.life import services
from tenants.management.town_command import TownCommand
from tenants.models import Town
from tenants.states import TownState


class StateCommand(TownCommand):
    """`manage.py <verb>_town SLUG [--reason WHY]`. Asking for the state that the town is in changes nothing."""

    to: TownState

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--reason", default="", help="kept in the trail")

    def act(self, town: Town, options: dict[str, Any]) -> str:
        moved = services.set_state(town=town, to=self.to, reason=options["reason"])
        return f"{moved.name} : {moved.get_state_display()}."
