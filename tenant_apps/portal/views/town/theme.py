"""`/theme.css`: the town's two colours, and tones of them with enough contrast."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from tenant_apps.townhall.queries import current_townhall
from toolkit.colour import readable_on, text_on
from toolkit.words import same_for_all

# The town's colours are text on several backgrounds. A tone with enough contrast on the darkest light one (the tint
# of staff's lists: --tint in staff.css) and on the lightest dark one (a paid row: --paid in ui.css) has enough on all
# others.
LIGHT, DARK = "#eef1f4", "#4a3f12"


@same_for_all
@require_safe
@cache_control(public=True, max_age=86400)
def theme(request: HttpRequest) -> HttpResponse:
    """The file may be cached for a day, because its address changes with the colours (base.html)."""
    townhall = current_townhall()
    town, accent = townhall.primary_colour, townhall.accent_colour
    light = f"--town:{town};--on-town:{text_on(town)};--town-ink:{readable_on(town, LIGHT)};"
    light += f"--accent-ink:{readable_on(accent, LIGHT)};"
    dark = f"--town-ink:{readable_on(town, DARK)};--accent-ink:{readable_on(accent, DARK)};"
    css = f":root{{{light}}}\n@media (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    return HttpResponse(css, content_type="text/css; charset=utf-8")
