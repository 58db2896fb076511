"""« Mes données »: take them away, have them erased."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shared_apps.accounts import recent, throttle
from shared_apps.accounts.errors import AccountError
from tenant_apps.portal.access import ResidentRequest, client_address, resident_required
from tenant_apps.portal.forms import ErasureForm, ProofForm
from tenant_apps.portal.takeout import take_out, zipped
from tenant_apps.residents import erasure
from tenant_apps.townhall.queries import current_townhall
from toolkit import clock

COPIES = 5  # of one's data
AN_HOUR = 60 * 60


@require_safe
@resident_required
def my_data(request: ResidentRequest) -> HttpResponse:
    """What can be done with one's data."""
    return _page(request, ProofForm())


def _page(request: ResidentRequest, form: ProofForm, *, problem: str = "", status: int = 200) -> HttpResponse:
    context = {"section": "account", "form": form, "problem": problem, **_state(request)}
    return render(request, "portal/my_data.html", context, status=status)


def _state(request: ResidentRequest) -> dict[str, object]:
    """Whether the password is asked for again, and how far a request of erasure is."""
    asked = request.user.erasure_asked_at
    return {
        "recent": recent.is_recent(request.session),
        "has_password": request.user.has_usable_password(),
        "answer_before": clock.in_words(erasure.answer_before(asked)) if asked else "",
    }


@require_POST
@resident_required
def take_my_data(request: ResidentRequest) -> HttpResponseBase:
    """One click: everything in a ZIP. Asked too often, it is the same page, with when to come back."""
    form = ProofForm(request.POST)
    if problem := _not_proven(request, form):
        return _page(request, form, problem=problem, status=422)
    if throttle.count("take-out", str(request.user.uuid), seconds=AN_HOUR) > COPIES:
        problem = _("Vous avez déjà pris plusieurs copies de vos données : recommencez dans une heure.")
        return _page(request, form, problem=problem, status=429)
    copy = take_out(actor=request.user, townhall=current_townhall())
    response = StreamingHttpResponse(zipped(copy), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="mes-donnees-{clock.today()}.zip"'
    return response


def _not_proven(request: ResidentRequest, form: ProofForm) -> str:
    """Why it is not sure that it is the person, in words; empty when it is."""
    if recent.is_recent(request.session):
        return ""
    if not form.is_valid():
        return _("Pour votre sécurité, écrivez votre mot de passe.")
    try:
        recent.prove(
            actor=request.user,
            password=form.cleaned_data["password"],
            session=request.session,
            ip=client_address(request),
        )
    except AccountError:
        return _(
            "Ce n'est pas votre mot de passe. Vérifiez-le, ou attendez 15 minutes après plusieurs essais."
        )
    return ""


@require_http_methods(["GET", "HEAD", "POST"])
@resident_required
def ask_erasure(request: ResidentRequest) -> HttpResponse:
    """« Effacer mon compte »: what goes, what stays, and a request that waits for the service."""
    form, problem = ErasureForm(request.POST if request.method == "POST" else None), ""
    if (
        request.method == "POST"
        and form.is_valid()
        and not (problem := _not_proven(request, ProofForm(request.POST)))
    ):
        erasure.request_erasure(actor=request.user)
        messages.success(request, _("Votre demande est envoyée au service. Un message vous la confirme."))
        return redirect("portal:erasure")
    context = {
        "section": "account",
        "form": form,
        "proof": ProofForm(),
        "problem": problem,
        **_state(request),
    }
    status = 422 if form.errors or problem else 200
    return render(request, "portal/erasure.html", {**context, "townhall": current_townhall()}, status=status)


@require_POST
@resident_required
def cancel_erasure(request: ResidentRequest) -> HttpResponse:
    """« Annuler ma demande »."""
    erasure.cancel_erasure(actor=request.user)
    messages.success(request, _("Votre demande d'effacement est annulée : rien n'est effacé."))
    return redirect("portal:my-data")
