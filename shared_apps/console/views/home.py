"""The first screen: the health of the parts, and the towns that need attention."""

from django.http import HttpResponse
from django.views.decorators.http import require_safe

from shared_apps.console import queries
from shared_apps.console.access import OperatorRequest
from shared_apps.console.look import words
from shared_apps.console.look.screens import screen
from shared_apps.console.watch import health


@require_safe
def home(request: OperatorRequest) -> HttpResponse:
    """A fixed number of statements; three seconds at most when a part does not answer."""
    found = queries.attention()
    return screen(
        request,
        "home",
        title="État de la plateforme",
        parts=health.parts(queries.waiting_mails()),
        attention=found,
        troubled=[(each.town, words.troubles(each)) for each in found["towns"]],
        shown=queries.SHOWN,
        shown_towns=queries.SHOWN_TOWNS,
        quiet=not any(found.values()),
        live=list(queries.live_operations()[: queries.SHOWN]),
    )
