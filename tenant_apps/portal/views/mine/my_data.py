"""« Mes données »: download them, ask for their erasure."""

from django.contrib import messages
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from shared_apps.accounts.errors import AccountError, TooManyOwnTries, TooManyTries, WrongPassword
from shared_apps.accounts.sessions import recent
from shared_apps.accounts.throttling import throttle
from shared_apps.accounts.throttling.refusals import marked
from tenant_apps.portal.access import ResidentRequest, resident_required
from tenant_apps.portal.forms import ErasureForm, ProofForm
from tenant_apps.portal.takeout import take_out, zipped
from tenant_apps.residents.erasure import services
from tenant_apps.townhall.queries import current_townhall
from toolkit import clock

COPIES = throttle.Limit("take-out", 5, seconds=60 * 60)  # downloads of one account


@require_safe
@resident_required
def my_data(request: ResidentRequest) -> HttpResponse:
    """What a person can do with their data."""
    return _page(request, ProofForm())


def _page(request: ResidentRequest, form: ProofForm, error: AccountError | None = None) -> HttpResponse:
    context = {"section": "account", "form": form, "problem": str(error or ""), **_state(request)}
    return marked(render(request, "portal/my_data.html", context), error)


def _state(request: ResidentRequest) -> dict[str, object]:
    """Whether the password must be typed again, and the state of a request for erasure."""
    asked = request.user.erasure_asked_at
    return {
        "recent": recent.is_recent(request.session),
        "has_password": request.user.has_usable_password(),
        "answer_before": clock.in_words(services.answer_before(asked)) if asked else "",
    }


@require_POST
@resident_required
def take_my_data(request: ResidentRequest) -> HttpResponseBase:
    """Download everything as a ZIP. After too many downloads, the page says when to come back."""
    form = ProofForm(request.POST)
    try:
        _prove(request, form)
        throttle.take((COPIES, str(request.user.uuid)))
    except TooManyOwnTries as error:
        return _page(request, form, error)
    except TooManyTries as error:
        problem = _("Vous avez déjà pris plusieurs copies de vos données : recommencez dans une heure.")
        return _page(request, form, TooManyTries(problem, wait=error.wait))
    except AccountError as error:
        return _page(request, form, error)
    copy = take_out(actor=request.user, townhall=current_townhall())
    response = StreamingHttpResponse(zipped(copy), content_type="application/zip")
    response["Content-Disposition"] = f'attachment; filename="mes-donnees-{clock.today()}.zip"'
    return response


def _prove(request: ResidentRequest, form: ProofForm) -> None:
    """Check that it still is the account's owner. Raises AccountError."""
    if recent.is_recent(request.session):
        return
    if not form.is_valid():
        raise WrongPassword(_("Pour votre sécurité, écrivez votre mot de passe."))
    recent.prove(actor=request.user, password=form.cleaned_data["password"], session=request.session)


@require_http_methods(["GET", "HEAD", "POST"])
@resident_required
def ask_erasure(request: ResidentRequest) -> HttpResponse:
    """« Effacer mon compte »: what will be erased, what stays, and the request."""
    form = ErasureForm(request.POST if request.method == "POST" else None)
    refused: AccountError | None = None
    if request.method == "POST" and form.is_valid():
        try:
            _prove(request, ProofForm(request.POST))
        except AccountError as error:
            refused = error
        else:
            services.request_erasure(actor=request.user)
            messages.success(request, _("Votre demande est envoyée au service. Un message vous la confirme."))
            return redirect("portal:erasure")
    return _erasure_page(request, form, refused)


def _erasure_page(request: ResidentRequest, form: ErasureForm, error: AccountError | None) -> HttpResponse:
    context = {
        "section": "account",
        "form": form,
        "proof": ProofForm(),
        "problem": str(error or ""),
        "townhall": current_townhall(),
        **_state(request),
    }
    page = render(request, "portal/erasure.html", context, status=422 if form.errors else 200)
    return marked(page, error)


@require_POST
@resident_required
def cancel_erasure(request: ResidentRequest) -> HttpResponse:
    """« Annuler ma demande »: withdraw the request for erasure."""
    services.cancel_erasure(actor=request.user)
    messages.success(request, _("Votre demande d'effacement est annulée : rien n'est effacé."))
    return redirect("portal:my-data")
