"""A page of the console in unfold's frame."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def screen(
    request: HttpRequest, template: str, *, title: str, status: int = 200, **context: Any
) -> HttpResponse:
    """Render `console/<template>.html` with the context that unfold's frame needs."""
    from shared_apps.console.site import site  # the site lists the views, which come here

    request.current_app = site.name
    return render(
        request,
        f"console/{template}.html",
        {**site.each_context(request), "title": title, **context},
        status=status,
    )
