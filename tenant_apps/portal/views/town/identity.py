"""The town's logo and icon. A new picture gets a new address (TownHall), so browsers may cache each for a year."""

from contextlib import suppress

from django.core.cache import cache
from django.core.files.storage import storages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from tenant_apps.townhall.models import TownHall
from tenant_apps.townhall.queries import current_townhall
from toolkit.colour import text_on
from toolkit.files.storage import StorageSilent, answering
from toolkit.words import same_for_all

A_YEAR = 365 * 24 * 3600
_KEPT = 24 * 3600  # in the cache, whose keys include the town
TYPES = {"png": "image/png", "svg": "image/svg+xml"}


@same_for_all
@require_safe
def logo(request: HttpRequest) -> HttpResponse:
    """404 while the town has none."""
    return _picture(current_townhall().logo)


@same_for_all
@require_safe
def icon(request: HttpRequest) -> HttpResponse:
    """The town's own icon, or a drawing: the first letter of its name on its colour."""
    townhall = current_townhall()
    return _picture(townhall.icon) if townhall.icon else _answer(_letter(townhall), "svg")


def _picture(key: str) -> HttpResponse:
    if not key:
        raise Http404
    content = None
    with suppress(RedisError):  # then read it from storage
        content = cache.get(f"picture:{key}")
    if content is None:
        try:
            with answering():
                content = storages["documents"].open(key).read()
        except FileNotFoundError:
            raise Http404 from None
        except StorageSilent:
            return HttpResponse(status=503, headers={"Retry-After": "60", "Cache-Control": "no-store"})
        with suppress(RedisError):
            cache.set(f"picture:{key}", content, _KEPT)
    return _answer(content, key.rpartition(".")[2])


def _answer(content: bytes, extension: str) -> HttpResponse:
    response = HttpResponse(content, content_type=TYPES[extension])
    patch_cache_control(response, public=True, max_age=A_YEAR, immutable=True)
    # An SVG that is opened alone is a document: it may load and run nothing (townhall.images cleaned it too).
    response["Content-Security-Policy"] = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    return response


def _letter(townhall: TownHall) -> bytes:
    ground = townhall.primary_colour
    letter = next((sign for sign in townhall.name if sign.isalpha()), "M").upper()
    box = f'<rect width="32" height="32" rx="7" fill="{ground}"/>'
    font = 'font-family="system-ui,sans-serif" font-size="20" font-weight="700" text-anchor="middle"'
    text = f'<text x="16" y="23" {font} fill="{text_on(ground)}">{letter}</text>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">{box}{text}</svg>'.encode()
