"""« Mes clés d'accès »: the list, and one key."""

from uuid import UUID

from django.contrib import messages
from django.contrib.auth import logout
from django.http import Http404, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from shared_apps.accounts.errors import AccountError
from shared_apps.accounts.models import Passkey
from shared_apps.accounts.sessions import recent
from shared_apps.accounts.signing_in import passkeys
from tenant_apps.portal.access import ResidentRequest, resident_required
from tenant_apps.portal.forms import KeyNameForm
from tenant_apps.residents.account import keys
from tenant_apps.residents.mails.keys import PAGE


@require_http_methods(["GET", "HEAD", "POST"])
@resident_required
def key_list(request: ResidentRequest) -> HttpResponse:
    """The passkeys of all hosts, and the button that adds one for this host; the POST brings the browser's answer."""
    if request.method != "POST":
        return _list(request)
    try:
        keys.add_key(
            actor=request.user,
            place=passkeys.place_of(request),
            session=request.session,
            answer=request.POST.get("answer", ""),
            user_agent=request.META.get("HTTP_USER_AGENT", ""),
        )
    except AccountError as error:
        return _list(request, problem=str(error))
    messages.success(request, _("La clé d'accès est ajoutée. Vous pouvez vous connecter avec elle."))
    return redirect("portal:keys")


def _list(request: ResidentRequest, problem: str = "") -> HttpResponse:
    context = {
        "section": "account",
        "keys": passkeys.keys_of(request.user),
        "place": passkeys.place_of(request),
        "is_recent": recent.is_recent(request.session, recent.JUST_NOW),
        "problem": problem,
    }
    return render(request, "portal/keys.html", context, status=422 if problem else 200)


@require_POST
@resident_required
def ask_to_add(request: ResidentRequest) -> HttpResponse:
    """For the script: the options of `navigator.credentials.create`, or why no key can be added."""
    place = passkeys.place_of(request)
    try:
        options = passkeys.ask_to_add(actor=request.user, place=place, session=request.session)
    except AccountError as error:
        return JsonResponse({"problem": str(error)}, status=422)
    return JsonResponse(options)


@require_POST
@resident_required
def sign_in_again(request: ResidentRequest) -> HttpResponse:
    """Sign out, then come back to this page after signing in, in any way."""
    logout(request)
    return redirect("/?" + urlencode({"suite": PAGE}))


@require_http_methods(["GET", "HEAD", "POST"])
@resident_required
def key_page(request: ResidentRequest, public_id: UUID) -> HttpResponse:
    """One key: rename or remove it."""
    key = _own_key(request, public_id)
    form = KeyNameForm(request.POST if request.method == "POST" else None, initial={"name": key.name})
    if form.is_valid():
        passkeys.rename_key(actor=request.user, key=key, name=form.cleaned_data["name"])
        messages.success(request, _("Le nom de la clé est enregistré."))
        return redirect("portal:keys")
    context = {"section": "account", "key": key, "form": form, "place": passkeys.place_of(request)}
    return render(request, "portal/key.html", context, status=422 if form.errors else 200)


@require_POST
@resident_required
def remove_key(request: ResidentRequest, public_id: UUID) -> HttpResponse:
    """« Retirer cette clé »: remove one of the resident's passkeys. 404 for another person's."""
    keys.remove_key(actor=request.user, key=_own_key(request, public_id))
    messages.success(
        request,
        _(
            "La clé d'accès est retirée : elle ne permet plus de se connecter. "
            "Si l'appareil est perdu, appuyez aussi sur « Se déconnecter partout » dans « Mes informations »."
        ),
    )
    return redirect("portal:keys")


def _own_key(request: ResidentRequest, public_id: UUID) -> Passkey:
    try:
        return passkeys.key_of(request.user, public_id)
    except Passkey.DoesNotExist:
        raise Http404 from None
