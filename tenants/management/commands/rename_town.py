"""`manage.py rename_town OLD NEW`: the town answers at NEW, and OLD redirects. An operation, in the foreground."""

from typing import Any

from django.core.management.base import CommandParser

from tenants import facts
from tenants.life import renaming
from tenants.management.town_command import TownCommand
from tenants.models import Operation, Town
from tenants.work import operations


class Command(TownCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("new")

    def act(self, town: Town, options: dict[str, Any]) -> str:
        renaming.check_renaming(town, options["new"])
        done = operations.run(
            kind=renaming.KIND,
            subject=town.slug,
            town=town,
            actor=facts.SYSTEM,
            arguments={"slug": options["new"]},
            watch=self.show,
        )
        return f"{town.name} répond maintenant à {done.result['address']}."

    def show(self, operation: Operation) -> None:
        """Print each step on a line."""
        self.stdout.write(f"{operation.done}/{operation.total} {operation.step}")
