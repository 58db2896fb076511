"""Sign in with a passkey: the script asks for a challenge, then sends an ordinary form."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from shared_apps.accounts.errors import AccountError
from shared_apps.accounts.signing_in import passkeys
from shared_apps.accounts.throttling.refusals import marked
from tenant_apps.portal.access import client_address
from tenant_apps.portal.forms import SignInForm
from tenant_apps.portal.views.entry.signing_in import sign_in, sign_in_page, signed_in


@require_POST
@never_cache
def ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    """For the script: the options of `navigator.credentials.get`, the same for everybody."""
    place, ip = passkeys.place_of(request), client_address(request)
    try:
        return JsonResponse(passkeys.ask_to_sign_in(place=place, session=request.session, ip=ip))
    except AccountError as error:
        return marked(JsonResponse({"problem": str(error)}), error)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def sign_in_with_key(request: HttpRequest) -> HttpResponse:
    """Check the browser's answer. A reload of this page shows the sign-in page."""
    if request.method != "POST":
        return sign_in(request)
    try:
        account = passkeys.sign_in(
            place=passkeys.place_of(request),
            session=request.session,
            answer=request.POST.get("answer", ""),
            ip=client_address(request),
        )
    except AccountError as error:
        return sign_in_page(request, SignInForm(), error)
    return signed_in(request, account, remember=bool(request.POST.get("remember")), both_steps=True)
