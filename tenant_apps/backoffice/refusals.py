"""What staff read inside `/gestion/` instead of a page: refused, absent, sent too late. In the back office's look.

Residents and nobody never get these pages: theirs say nothing of the back office (decision 69).
"""

from dataclasses import dataclass
from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from shared_apps.accounts.models import Account, Role
from shared_apps.accounts.sessions import steps
from shared_apps.accounts.sessions.steps import StepsPassed
from shared_apps.accounts.team.queries import managers_called
from tenant_apps.backoffice.access import Refused, StaffRequest, at_least, screen

INSIDE = "/gestion/"  # where `config.urls.town` puts the back office
NAMED = 5  # managers


@dataclass(frozen=True)
class Notice:
    """A page of words: what happened, then what to do; and where the button leads if not to the home page."""

    title: str
    lines: tuple[str, ...]
    to: str = ""
    button: str = ""


def meets_staff(request: HttpRequest) -> bool:
    """Whether this is a member of staff inside `/gestion/`, past both steps of signing in."""
    if getattr(request, "town", None) is None or not request.path.startswith(INSIDE):
        return False
    user = getattr(request, "user", None)
    if not isinstance(user, Account) or not user.is_town_staff:
        return False
    return steps.steps_passed(user, request.session) != StepsPassed.HALF


def refused(request: HttpRequest, error: Refused) -> HttpResponse:
    """403: which right is missing, and who can give it."""
    staff = _staff(request)
    return _draw(staff, _why(staff, error), status=403)


def not_found(request: HttpRequest) -> HttpResponse:
    """404: what is gone, what never was and what is of another régie read the same."""
    lines = (
        _("L'adresse est peut-être mal copiée, ou ce qu'elle montrait a été retiré."),
        _("Cherchez avec la case en haut de la page : un numéro, un nom, une référence."),
    )
    return _draw(_staff(request), Notice(_("Cette page n'existe pas"), lines), status=404)


def too_late(request: HttpRequest) -> HttpResponse:
    """403 of a form without its token."""
    lines = (
        _(
            "Pour votre sécurité, revenez à la page précédente, rechargez-la, puis recommencez. "
            "Rien n'a été enregistré."
        ),
    )
    title = _("Cette page est restée ouverte trop longtemps")
    return _draw(_staff(request), Notice(title, lines), status=403)


def not_understood(request: HttpRequest) -> HttpResponse:
    """400."""
    lines = (_("Rien n'a été enregistré. Revenez à la gestion, puis recommencez."),)
    return _draw(_staff(request), Notice(_("Nous n'avons pas compris cette demande"), lines), status=400)


def wrong_method(request: HttpRequest) -> HttpResponse:
    """405: the address of an act, opened as a page."""
    lines = (
        _(
            "Cette adresse enregistre quelque chose : elle ne s'ouvre pas comme une page. "
            "Rien n'a été enregistré."
        ),
    )
    return _draw(_staff(request), Notice(_("Cette adresse n'est pas une page"), lines), status=405)


def _why(request: StaffRequest, error: Refused) -> Notice:
    """The words of a refusal."""
    user, minimum = request.user, error.minimum
    if minimum is None:
        title = _("Cette page n'est pas ouverte pendant une intervention")
        why = _(
            "Elle décide qui entre dans la gestion, et comment : seule la personne dont vous tenez la place "
            "l'ouvre, en se connectant elle-même."
        )
        return Notice(title, (why, *_nothing_done(request)))
    if at_least(user.role, minimum):  # a manager whose account has no second factor
        title = _("Protégez d'abord votre compte")
        why = _("Cette action demande un responsable dont le compte a un second facteur.")
        to = reverse("backoffice:protect")
        return Notice(title, (why, *_nothing_done(request)), to, _("Protéger mon compte"))
    names = {"wanted": minimum.label, "own": Role(user.role).label}
    if user.impersonated_by is not None:
        which = _(
            "Cette page demande le rôle « %(wanted)s » ; la personne dont vous tenez la place est « %(own)s »."
        )
        return Notice(_("Votre rôle n'ouvre pas cette page"), (which % names, *_nothing_done(request)))
    which = _("Cette page demande le rôle « %(wanted)s » ; vous êtes « %(own)s ».") % names
    return Notice(_("Votre rôle n'ouvre pas cette page"), (which, *_nothing_done(request), _who_gives()))


def _nothing_done(request: HttpRequest) -> tuple[str, ...]:
    return () if request.method in ("GET", "HEAD") else (_("Rien n'a été enregistré."),)


def _who_gives() -> str:
    called = managers_called(NAMED)
    if not called:
        return _(
            "Aucun responsable de la commune ne peut le donner en ce moment : adressez-vous à l'exploitant."
        )
    return ngettext(
        "S'il vous le faut, demandez-le à %(names)s, responsable de votre commune.",
        "S'il vous le faut, demandez-le à un responsable de votre commune : %(names)s.",
        len(called),
    ) % {"names": ", ".join(called)}


def _staff(request: HttpRequest) -> StaffRequest:
    """What `staff_required` would have made of the request."""
    assert isinstance(request.user, Account)
    request.scope = request.user.scope  # type: ignore[attr-defined]
    return cast(StaffRequest, request)


def _draw(request: StaffRequest, notice: Notice, *, status: int) -> HttpResponse:
    """A page; or, for a fragment that htmx asked for, a note that takes the place of what asked (staff.js)."""
    if request.headers.get("HX-Request"):
        response = render(request, "backoffice/partials/refused.html", {"notice": notice}, status=status)
        response["HX-Reswap"] = "outerHTML"
    else:
        response = screen(request, "refused.html", section="", status=status, notice=notice)
    response["Cache-Control"] = "no-store, private"
    return response
