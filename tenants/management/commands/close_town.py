"""`manage.py close_town SLUG --days 30 --reason WHY`: the town leaves at the end of that day. Instant.

Until then `resume_town` cancels it; afterwards the town answers 410 and may be erased.
"""

from typing import Any

from django.core.management.base import CommandParser

from tenants.life import town_closure
from tenants.management.town_command import TownCommand
from tenants.models import Town


class Command(TownCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--days", type=int, default=30)
        parser.add_argument("--reason", required=True, help="kept in the trail")

    def act(self, town: Town, options: dict[str, Any]) -> str:
        closed = town_closure.close_town(town=town, days=options["days"], reason=options["reason"])
        return f"{closed.name} répond jusqu'au {closed.last_day:%d/%m/%Y} inclus."
