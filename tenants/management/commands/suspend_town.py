"""`manage.py suspend_town SLUG`: pause a town; its page says so, nothing is lost. Instant."""

from tenants.management.state_command import StateCommand
from tenants.states import TownState


class Command(StateCommand):
    help = __doc__
    to = TownState.SUSPENDED
