"""The operator's admin. It lives on its own host and in the public schema: nobody of a town exists there."""

from collections.abc import Callable
from typing import Any

from csp.constants import UNSAFE_EVAL, UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from unfold.sites import UnfoldAdminSite

from shared_apps.accounts.models import Role
from shared_apps.audit.models import Entry
from shared_apps.console.admin import EntryAdmin, TownAdmin
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
        return bool(
            request.user.is_authenticated and request.user.is_active and request.user.role == Role.OPERATOR
        )

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        return unfold_policy(super().admin_view(view, cacheable))

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        page: HttpResponse = unfold_policy(super().login)(request, extra_context)
        return page


site = Console(name="admin")
site.register(Town, TownAdmin)
site.register(Entry, EntryAdmin)
