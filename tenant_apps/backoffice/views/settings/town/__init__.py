"""What the town says of itself, and its choices: one page each, with its preview. For managers."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect

from tenant_apps.backoffice.access import StaffRequest, screen
from tenant_apps.townhall.services import change_townhall


def only_shown(request: StaffRequest) -> bool:
    """Whether « Voir » was pressed, or htmx asks for the preview while one types: nothing is saved."""
    return "voir" in request.POST


def save_or_show(
    request: StaffRequest,
    template: str,
    form: "forms.ModelForm[Any]",
    *,
    place: str,
    saved: str,
    preview: str = "",
    shown: bool | None = None,
    **context: Any,
) -> HttpResponse:
    """Save the form's own fields, say `saved` and come back; or show the page, with what was typed.

    `preview`: the template that htmx gets alone. `shown`: whether another button than « Voir » only shows.
    """
    if form.is_bound and form.is_valid() and not (only_shown(request) if shown is None else shown):
        change_townhall(actor=request.user, **form.cleaned_data)
        messages.success(request, saved)
        return redirect(f"backoffice:{place}")
    context = {"form": form, "place": place, "section": "settings", "instance": form.instance, **context}
    if preview and only_shown(request) and request.headers.get("HX-Request"):
        return screen(request, preview, **context)
    return screen(request, template, status=422 if form.errors else 200, **context)
