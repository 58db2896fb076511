"""`/theme.css`: the town's two colours, and tones of them with enough contrast."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from tenant_apps.townhall.colours import tones
from tenant_apps.townhall.queries import current_townhall
from toolkit.words import same_for_all


@same_for_all
@require_safe
@cache_control(public=True, max_age=86400)
def theme(request: HttpRequest) -> HttpResponse:
    """The file may be cached for a day, because its address changes with the colours (base.html)."""
    townhall = current_townhall()
    light, dark = tones(townhall.primary_colour, townhall.accent_colour)
    css = f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    return HttpResponse(css, content_type="text/css; charset=utf-8")
