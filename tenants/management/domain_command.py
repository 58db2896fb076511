"""A command about one host of one town."""

from django.core.management.base import CommandParser

from tenants.management.town_command import TownCommand


class DomainCommand(TownCommand):
    """`manage.py <verb> SLUG HOST`."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("host")
