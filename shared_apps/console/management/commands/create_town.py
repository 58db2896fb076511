"""`manage.py create_town SLUG NAME --contact ADDRESS [--manager ADDRESS]`: open a town and print its address.

The same as `open_town SLUG NAME`.
"""

from django.core.management.base import CommandParser

from shared_apps.console.management.commands import open_town


class Command(open_town.Command):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug")
        parser.add_argument("name")
        self.add_details(parser)
