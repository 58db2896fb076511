"""Where the button of an error page leads: staff who were inside the back office come back to it."""

from typing import Any

from django import template
from django.template import Context

from tenant_apps.backoffice.refusals import INSIDE

register = template.Library()


@register.inclusion_tag("partials/way_back.html", takes_context=True)
def way_back(context: Context, classes: str = "btn btn-town") -> dict[str, Any]:
    """A link to `/gestion/` or to the portal.

    It reads `request.path`, or `path` on a page that is made without a request, and asks no database that the page
    does not ask already. Where nobody knows who asks (the database may be down), the address alone decides.
    """
    request, user = context.get("request"), context.get("user")
    path = request.path if request is not None else context.get("path") or "/"
    is_staff = user is None or getattr(user, "is_town_staff", False)
    return {"staff": path.startswith(INSIDE) and is_staff, "home": INSIDE, "classes": classes}
