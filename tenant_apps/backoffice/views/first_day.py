"""The first steps of a new town on the home page: shown by role, folded away, kept as they came, over."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from shared_apps.accounts.models import Role
from tenant_apps.backoffice.access import StaffRequest, at_least, staff_required
from tenant_apps.firstday.lines import TOTAL, Line, done_of, lines_of
from tenant_apps.townhall.first_day import MAY_STAY, Step, finish, first_day_of, fold, settle, unfold
from tenant_apps.townhall.queries import current_townhall
from tenants.current import is_read_only

CLERKS = frozenset({Step.IMPORT})  # what somebody below a manager does themselves


def first_day_for(request: StaffRequest) -> dict[str, Any]:
    """What the home page shows of it. Once the list is folded or over, only the row of the town, which `screen` needs.

    It counts what the whole town has done, so whoever works for some régies only does not see it.
    """
    if not request.scope.is_whole:
        return {}
    townhall = current_townhall()
    kept, manages = first_day_of(townhall), at_least(request.user.role, Role.MANAGER)
    if kept.is_over or kept.folded is not None:
        return {"townhall": townhall, "first_day_folded": manages and not kept.is_over}
    lines = lines_of(townhall)
    done = done_of(lines)
    if done == TOTAL:
        return {"townhall": townhall, "first_day_over": _is_over(request)}
    rows = [(line, _address(line)) for line in lines if _is_theirs(request, line)]
    shown = {"rows": rows, "done": done, "total": TOTAL, "manages": manages}
    return {"townhall": townhall, "first_day": shown}


def _is_theirs(request: StaffRequest, line: Line) -> bool:
    if at_least(request.user.role, Role.MANAGER):
        return True
    return line.step in CLERKS and at_least(request.user.role, Role.CLERK)


def _is_over(request: StaffRequest) -> bool:
    """« Tout est prêt » is said once, to a manager; whoever else looks before sees the ordinary page."""
    in_person = at_least(request.user.role, Role.MANAGER) and request.user.impersonated_by is None
    return in_person and not is_read_only() and finish()


def _address(line: Line) -> str:
    kwargs = {"pk": line.product} if line.product is not None else {}
    return reverse(f"backoffice:{line.leads_to}", kwargs=kwargs)


@require_POST
@staff_required(Role.MANAGER)
def keep_step(request: StaffRequest) -> HttpResponse:
    """« Rien à changer »."""
    step = request.POST.get("etape", "")
    if step in MAY_STAY:
        settle(actor=request.user, step=Step(step))
        messages.success(request, _("C'est noté : rien à changer."))
    return redirect("backoffice:home")


@require_POST
@staff_required(Role.MANAGER)
def fold_first_day(request: StaffRequest) -> HttpResponse:
    """« Masquer », or « Afficher de nouveau »."""
    if request.POST.get("quoi") == "afficher":
        unfold(actor=request.user)
    else:
        fold(actor=request.user)
        messages.success(
            request, _("La liste est masquée ; un lien en bas de cette page l'affiche de nouveau.")
        )
    return redirect("backoffice:home")
