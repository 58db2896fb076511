"""Settings of the town's OpenID Connect providers: of residents (FranceConnect), and of staff. For managers."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from shared_apps.accounts.errors import ProviderNotProven, TooManyTries
from shared_apps.accounts.models import Role
from shared_apps.accounts.signing_in.openid.audience import Audience
from shared_apps.accounts.throttling import throttle
from tenant_apps.backoffice.access import StaffRequest, screen, staff_required
from tenant_apps.backoffice.forms.openid import IdentityProviderForm
from tenant_apps.backoffice.words.openid import ConnectionTest, page_words, try_provider
from tenant_apps.townhall.identity_provider import IdentityProvider, change_identity_provider, provider_of
from tenant_apps.townhall.queries import current_townhall
from tenants.current import current_town
from tenants.hosts.registry import address_of

CONNECTION_TESTS = throttle.Limit("openid-connection-test", 20)  # per town
_BACK = {Audience.RESIDENTS: "/connexion/fc/retour/", Audience.STAFF: "/connexion/agents/retour/"}
_PAGES = {Audience.RESIDENTS: "backoffice:openid", Audience.STAFF: "backoffice:staff-openid"}


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER)
def openid_page(request: StaffRequest) -> HttpResponse:
    """« Connexion par FranceConnect »: the settings; « Essayer » tests the saved ones."""
    return _settings(request, Audience.RESIDENTS)


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.MANAGER, in_person=True)
def staff_openid_page(request: StaffRequest) -> HttpResponse:
    """« Connexion des agents »: the same for the provider of staff."""
    return _settings(request, Audience.STAFF)


def _settings(request: StaffRequest, audience: Audience) -> HttpResponse:
    kept = provider_of(current_townhall(), audience)
    if request.POST.get("quoi") == "essayer":
        return _page(request, kept, IdentityProviderForm(kept=kept), connection_test=_try(kept))
    form = IdentityProviderForm(request.POST or None, kept=kept)
    if request.method == "POST" and form.is_valid():
        try:
            change_identity_provider(actor=request.user, audience=audience, **form.cleaned_data)
            messages.success(request, page_words(audience).saved)
            return redirect(_PAGES[audience])
        except ProviderNotProven as error:
            form.add_error("required", str(error))
    return _page(request, kept, form)


def _try(kept: IdentityProvider) -> ConnectionTest:
    if not kept.issuer:
        return ConnectionTest(False, [_("Enregistrez d'abord l'adresse du fournisseur.")])
    try:
        throttle.take((CONNECTION_TESTS, "town"))
    except TooManyTries as error:
        return ConnectionTest(False, [str(error)])
    return try_provider(kept.issuer, kept.audience)


def _page(
    request: StaffRequest,
    kept: IdentityProvider,
    form: IdentityProviderForm,
    connection_test: ConnectionTest | None = None,
) -> HttpResponse:
    address = address_of(current_town())
    return screen(
        request,
        "openid.html",
        section="settings",
        place=_PAGES[kept.audience].removeprefix("backoffice:"),
        form=form,
        kept=kept,
        words=page_words(kept.audience),
        connection_test=connection_test,
        addresses={"back": f"{address}{_BACK[kept.audience]}", "out": f"{address}/"},
        status=422 if form.errors else 200,
    )
