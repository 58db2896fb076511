"""`manage.py invite_member --town SLUG --email ADDRESS --role ROLE [--name NAME]`: invite somebody to the staff.

The same message as from the page « Équipe ». To somebody who is invited already, it is sent again.
"""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django_tenants.utils import tenant_context

from shared_apps.accounts.errors import AccountError
from shared_apps.accounts.models import STAFF_ROLES, Role
from shared_apps.accounts.team.services import invite
from shared_apps.audit.services import SYSTEM
from tenants.errors import TownError
from tenants.life.services import town_named
from toolkit import emails


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--town", required=True, metavar="SLUG")
        parser.add_argument("--email", required=True, metavar="ADDRESS")
        parser.add_argument("--role", required=True, choices=[role.value for role in STAFF_ROLES])
        parser.add_argument("--name", default="", help="what colleagues read")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with tenant_context(town_named(options["town"])):
                member = invite(
                    actor=SYSTEM, email=options["email"], role=Role(options["role"]), name=options["name"]
                )
        except (AccountError, TownError, emails.BadAddress) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"L'invitation part à {member.email}.")
