"""`manage.py resume_town SLUG`: a suspended town answers again, and a closing town stays open. Instant."""

from tenants.management.state_command import StateCommand
from tenants.states import TownState


class Command(StateCommand):
    help = __doc__
    to = TownState.OPEN
