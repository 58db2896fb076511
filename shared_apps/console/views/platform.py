"""The platform's settings."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from shared_apps.console import platform
from shared_apps.console.access import OperatorRequest
from shared_apps.console.look.forms import PlatformForm
from shared_apps.console.look.screens import screen
from shared_apps.console.services import change_platform


@require_http_methods(["GET", "HEAD", "POST"])
def platform_page(request: OperatorRequest) -> HttpResponse:
    """One form."""
    form = PlatformForm(request.POST) if request.method == "POST" else PlatformForm.of(platform.current())
    if request.method == "POST" and form.is_valid():
        change_platform(actor=request.user, **form.cleaned_data)
        messages.success(request, "Les réglages de la plateforme sont enregistrés.")
        return redirect("admin:platform")
    return screen(
        request, "platform", title="Réglages de la plateforme", form=form, status=422 if form.errors else 200
    )
