"""What every template knows: the town (or none, on the operator's hosts)."""

from django.http import HttpRequest

from tenant_apps.townhall import queries


def town(request: HttpRequest) -> dict[str, object]:
    """``townhall``: the town about itself, absent on a public host; ``last_day``: of a town that is closing."""
    town = getattr(request, "town", None)
    if town is None:
        return {"townhall": None}
    return {"townhall": queries.shown_townhall(), "last_day": town.last_day}
