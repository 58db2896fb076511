"""What every template knows: the town (or none, on the operator's hosts)."""

from django.http import HttpRequest

from shared_apps.console import platform
from tenant_apps.townhall import queries


def town(request: HttpRequest) -> dict[str, object]:
    """``townhall``: the town about itself, absent on a public host; ``last_day``: of a town that is closing.

    ``platform``: what the platform says of itself, read only by the pages that show it.
    """
    town = getattr(request, "town", None)
    if town is None:
        return {"townhall": None, "platform": platform.current}
    return {"townhall": queries.current_townhall(), "last_day": town.last_day, "platform": platform.current}
