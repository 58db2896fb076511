"""Context for every template: the town, except on the operator's hosts."""

from functools import cache

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language, get_language_info

from shared_apps.console import platform
from tenant_apps.townhall import queries


@cache
def _other_languages(language: str) -> list[tuple[str, str]]:
    return [
        (code, get_language_info(code)["name_local"].capitalize())
        for code, _name in settings.LANGUAGES
        if code != language
    ]


def town(request: HttpRequest) -> dict[str, object]:
    """``townhall``: the town about itself, absent on a public host; ``last_day``: of a town that is closing.

    ``is_copy``: whether the town is a copy of another one, which every page says.
    ``other_languages``: those that the page is not in, (code, its own name).
    ``platform``: what the platform says of itself, read only by the pages that show it.
    """
    known = {"other_languages": _other_languages(get_language() or ""), "platform": platform.current}
    town = getattr(request, "town", None)
    if town is None:
        return {"townhall": None, **known}
    return {
        "townhall": queries.shown_townhall(),
        "last_day": town.last_day,
        "is_copy": town.is_copy,
        **known,
    }
