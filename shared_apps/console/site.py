"""The operator's admin. It lives on its own host and in the public schema: nobody of a town exists there."""

from collections.abc import Callable
from typing import Any, cast

from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from unfold.sites import UnfoldAdminSite

from shared_apps.audit.models import Entry
from shared_apps.console import access
from shared_apps.console.admin import EntryAdmin, TownAdmin
from shared_apps.console.views import account, signing_in
from tenants.models import Town

View = Callable[..., HttpResponse]
# unfold's pages carry inline scripts and styles; the policy is loosened on the operator's host only.
unfold_policy = csp_update(
    {"script-src": [UNSAFE_INLINE, UNSAFE_EVAL], "style-src": [UNSAFE_INLINE], "img-src": ["data:"]}
)


class Console(UnfoldAdminSite):
    """Operators and nobody else."""

    index_title = "Les communes"
    final_catch_all_view = False  # an unknown address is a 404 here as elsewhere

    def has_permission(self, request: HttpRequest) -> bool:
        return access.is_operator(request)

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        return unfold_policy(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        page: HttpResponse = unfold_policy(signing_in.password_step)(request)
        return page

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        page: HttpResponse = account.own_account(cast(access.OperatorRequest, request))
        return page

    def extra_urls(self) -> list[URLPattern]:
        """Beside the admin's own; each behind `admin_view`, but for the two steps that come after the password."""
        return [
            path("login/code/", unfold_policy(signing_in.code_step), name="sign-in-code"),
            path("login/second-facteur/", unfold_policy(signing_in.enrolment), name="sign-in-enrolment"),
            path(
                "compte/codes-de-secours/",
                self.admin_view(account.renew_recovery_codes),
                name="renew-recovery-codes",
            ),
        ]


site = Console(name="admin")
site.register(Town, TownAdmin)
site.register(Entry, EntryAdmin)
