"""« Rattacher un dossier »: ask to see a payer's invoices, with a paper invoice as proof."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from shared_apps.accounts.errors import AccountError, TooBusy, WeakPassword
from shared_apps.accounts.models import Account, Link
from shared_apps.accounts.throttling import throttle
from shared_apps.accounts.throttling.refusals import marked
from tenant_apps.invoices import paper_proof
from tenant_apps.portal.access import ResidentRequest, client_address, resident_required
from tenant_apps.portal.access_request_forms import AccessRequestForm
from tenant_apps.portal.forms import PasswordForm
from tenant_apps.residents.access_requests import services
from tenant_apps.residents.access_requests.services import Outcome
from tenant_apps.residents.models import AccessRequest
from tenant_apps.residents.queries import access_request_of, waiting_access_requests_of
from tenant_apps.townhall.models import AccessRequestMode
from tenant_apps.townhall.queries import current_townhall, password_rule

FROM_ADDRESS = throttle.Limit("claim-ip", 20)  # papers per IP address
BY_ACCOUNT = throttle.Limit("claim-account", 10)


@require_http_methods(["GET", "HEAD", "POST"])
def request_access(request: HttpRequest) -> HttpResponse:
    """« Rattacher un dossier »: the three figures of a paper invoice, with or without an account."""
    resident, mode = _resident(request), current_townhall().payer_claims
    if mode == AccessRequestMode.OFF:
        response = _only_waiting(request, resident)
    else:
        sent = request.POST if request.method == "POST" else None
        form = AccessRequestForm(
            sent, signed_in=resident is not None, asks=mode == AccessRequestMode.APPROVAL
        )
        response = _answer(request, resident, form)
    response["Cache-Control"] = "no-store, private"
    return response


def _resident(request: HttpRequest) -> Account | None:
    """The signed-in resident, or None; 404 for staff."""
    resident = request.user if isinstance(request.user, Account) else None
    if resident is not None and resident.is_town_staff:
        raise Http404
    return resident


def _only_waiting(request: HttpRequest, resident: Account | None) -> HttpResponse:
    """The town takes no new requests: show only those that wait. 404 without one."""
    if request.method == "POST" or resident is None or not waiting_access_requests_of(resident).exists():
        raise Http404
    return _page(request, resident, None)


def _answer(request: HttpRequest, resident: Account | None, form: AccessRequestForm) -> HttpResponse:
    if not form.is_bound or not form.is_valid():
        return _page(request, resident, form)
    throttle.take((FROM_ADDRESS, client_address(request)))
    if resident is not None:
        throttle.take((BY_ACCOUNT, str(resident.uuid)))
        return _of_resident(request, resident, form)
    paper_proof.request_access_by_mail(email=form.cleaned_data["email"], copy=form.copy)
    return render(request, "portal/access_request_sent.html", {"email": form.cleaned_data["email"]})


def _page(
    request: HttpRequest, resident: Account | None, form: AccessRequestForm | None, *, problem: str = ""
) -> HttpResponse:
    context = {
        "section": "account" if resident else "",
        "form": form,
        "problem": problem,
        "waiting": waiting_access_requests_of(resident) if resident else (),
    }
    wrong = bool(problem or (form and form.errors))
    return render(request, "portal/access_request.html", context, status=422 if wrong else 200)


def _of_resident(request: HttpRequest, resident: Account, form: AccessRequestForm) -> HttpResponse:
    outcome = paper_proof.request_access(actor=resident, copy=form.copy)
    if outcome is None:
        problem = _(
            "Nous n'avons pas pu rattacher de dossier avec ces trois indications. Vérifiez chacune d'elles sur la "
            "facture, puis recommencez. Après plusieurs essais, attendez une heure."
        )
        return _page(request, resident, form, problem=problem)
    messages.success(request, _sentence(outcome))
    return redirect("portal:claim" if outcome == Outcome.WAITING else "portal:invoices")


def _sentence(outcome: Outcome) -> str:
    return {
        Outcome.JOINED: _("Le dossier est rattaché à votre compte : vous voyez maintenant ses factures."),
        Outcome.ALREADY: _("Ce dossier est déjà rattaché à votre compte : vous n'avez rien à faire."),
        Outcome.WAITING: _(
            "Votre demande attend la réponse du service de facturation. Vous la recevrez par e-mail."
        ),
        Outcome.GONE: _(
            "Ce dossier n'existe plus. Écrivez au service de facturation depuis la page Contact."
        ),
    }[outcome]


@require_POST
@resident_required
def withdraw(request: ResidentRequest, public_id: UUID) -> HttpResponse:
    """« Retirer ma demande »: withdraw an access request. 404 for another person's."""
    try:
        services.withdraw_access_request(
            actor=request.user, access_request=access_request_of(request.user, public_id)
        )
    except AccessRequest.DoesNotExist:
        raise Http404 from None
    except AccountError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, _("Votre demande est retirée."))
    return redirect("portal:my-details")


def confirm(request: HttpRequest, link: Link, token: str) -> HttpResponse:
    """The link of an access request (signing_in.link_page): a GET shows it, the POST uses it up."""
    form = PasswordForm(request.POST if request.method == "POST" and _is_new(link) else None)
    form.fields["password"].help_text = password_rule().sentence
    refused: AccountError | None = None
    if request.method == "POST" and (not _is_new(link) or form.is_valid()):
        try:
            outcome = paper_proof.confirm_access_request(
                token=token, password=request.POST.get("password", "")
            )
        except (WeakPassword, TooBusy) as error:
            form.add_error("password", str(error))
            refused = error
        else:
            request.session.pop("lien", None)
            done = {"outcome": str(outcome), "sentence": _sentence(outcome), "email": link.email}
            return render(request, "portal/access_request_done.html", done)
    context: dict[str, object] = {"form": form, "link": link, "is_new": _is_new(link)}
    page = render(request, "portal/access_request_confirm.html", context, status=422 if form.errors else 200)
    return marked(page, refused)


def _is_new(link: Link) -> bool:
    return link.account is not None and link.account.activated_at is None
