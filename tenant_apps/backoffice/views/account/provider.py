"""« Mon compte »: the link to the town's identity provider."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from shared_apps.accounts.errors import AccountError
from shared_apps.accounts.models import Role
from shared_apps.accounts.signing_in.identities import link_staff_identity
from shared_apps.accounts.signing_in.openid import attempts
from shared_apps.accounts.signing_in.openid.attempts import Pending
from shared_apps.accounts.signing_in.openid.audience import Audience
from tenant_apps.backoffice.access import StaffRequest, screen, staff_required
from tenant_apps.backoffice.views.account.proof import proven
from tenant_apps.townhall.identity_provider import IdentityProvider, leave_provider, provider_of
from tenant_apps.townhall.queries import current_townhall


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required(Role.READER, in_person=True)
@proven
def own_provider(request: StaffRequest) -> HttpResponse:
    """Link the account to whom the provider has just recognised, or undo the link."""
    provider = provider_of(current_townhall(), Audience.STAFF)
    if not (provider.is_offered or provider.opens(request.user)):
        raise Http404
    pending, refused = attempts.pending(request.session, provider.issuer, Audience.STAFF), ""
    if request.method == "POST":
        try:
            _act(request, provider, pending)
            return redirect("backoffice:own-provider" if provider.is_offered else "backoffice:account")
        except AccountError as error:
            refused = str(error)
    linked, status = provider.opens(request.user), 422 if refused else 200
    context = {"provider": provider, "problem": refused, "linked": linked, "recognised": pending}
    return screen(request, "account/provider.html", section="account", status=status, **context)


def _act(request: StaffRequest, provider: IdentityProvider, pending: Pending | None) -> None:
    """Raises AccountError."""
    named, asked = {"label": provider.label}, request.POST.get("quoi")
    if asked == "supprimer":
        leave_provider(actor=request.user)
        messages.success(request, _("%(label)s n'est plus relié à votre compte.") % named)
    elif asked == "relier" and pending is not None and provider.is_offered:
        who = pending.identity
        link_staff_identity(actor=request.user, issuer=who.issuer, subject=who.subject, label=provider.label)
        messages.success(request, _("Votre compte est relié à %(label)s.") % named)
    if asked in ("relier", "annuler"):
        attempts.drop_pending(request.session)
