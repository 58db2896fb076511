"""The operator's admin, on its own host and in the public schema, where no people of towns exist."""

from collections.abc import Callable
from typing import Any, cast

from csp.constants import UNSAFE_INLINE
from csp.decorators import csp_update
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from unfold.sites import UnfoldAdminSite

from shared_apps.audit.models import AuditEntry
from shared_apps.console import access
from shared_apps.console.admin import (
    AuditEntryAdmin,
    ErasureAdmin,
    OperationAdmin,
    TownAdmin,
    UnmatchedNotificationAdmin,
)
from shared_apps.console.views import (
    account,
    archives,
    home,
    lists,
    operations,
    platform,
    products,
    signing_in,
    tabs,
    towns,
)
from shared_apps.treasury.models import UnmatchedNotification
from tenants.models import Erasure, Operation, Town

View = Callable[..., HttpResponseBase]
# Scripts come from files only, and none evaluates text (console/alpine-expressions.js). Inline styles are allowed on
# the operator's host, because unfold writes colours into a <style> and sizes into style="…", which change with the
# page. A style runs nothing, and cannot leak data while images and fonts come from this host only.
unfold_policy = csp_update({"style-src": [UNSAFE_INLINE]})


class Console(UnfoldAdminSite):
    """Operators and nobody else."""

    index_title = "Les communes"
    final_catch_all_view = False  # an unknown address is a 404

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

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        return home.home(cast(access.OperatorRequest, request))

    def extra_urls(self) -> list[URLPattern]:
        """Our pages beside the admin's. All are behind `admin_view`, except for the two steps after the password."""
        steps = [
            path("login/code/", unfold_policy(signing_in.code_step), name="sign-in-code"),
            path("login/second-facteur/", unfold_policy(signing_in.enrolment), name="sign-in-enrolment"),
        ]
        pages: list[tuple[str, View, str]] = [
            ("compte/codes-de-secours/", account.renew_recovery_codes, "renew-recovery-codes"),
            ("plateforme/", platform.platform_page, "platform"),
            ("ouvrir/", towns.open_town, "open-town"),
            ("ouvrir/liste/", lists.open_list, "open-list"),
            ("ouvrir/liste/modele/", lists.list_sample, "list-sample"),
            ("restaurer/", archives.deposit_archive, "deposit-archive"),
            ("communes/<slug:slug>/", tabs.town_page, "town"),
            ("communes/<slug:slug>/equipe/", tabs.team, "town-team"),
            ("communes/<slug:slug>/adresses/", tabs.hosts, "town-hosts"),
            ("communes/<slug:slug>/operations/", tabs.operations, "town-operations"),
            ("communes/<slug:slug>/journal/", tabs.trail, "town-trail"),
            ("communes/<slug:slug>/identite/", tabs.details, "town-details"),
            ("communes/<slug:slug>/domaine/<slug:act>/", towns.domain_act, "domain-act"),
            ("communes/<slug:slug>/intervenir/<uuid:person>/", towns.intervene, "intervene"),
            ("communes/<slug:slug>/regies/", products.product_list, "products"),
            ("communes/<slug:slug>/regies/ajouter/", products.add_product, "add-product"),
            ("communes/<slug:slug>/regies/<int:pk>/", products.product_page, "product"),
            ("communes/<slug:slug>/regies/<int:pk>/<slug:key>/", products.product_act, "product-act"),
            (
                "communes/<slug:slug>/second-facteur/<uuid:person>/",
                towns.forget_factor,
                "forget-factor",
            ),
            ("communes/<slug:slug>/<slug:key>/", towns.act, "act"),
            ("operations/<uuid:public_id>/", operations.operation_page, "operation"),
            ("operations/<uuid:public_id>/etat/", operations.operation_progress, "operation-progress"),
            ("operations/<uuid:public_id>/archive/", operations.download_archive, "download-archive"),
            ("operations/<uuid:public_id>/restaurer/", operations.restore_export, "restore-export"),
            ("operations/<uuid:public_id>/rapport/", lists.list_report, "list-report"),
            ("effacements/<uuid:public_id>/", operations.certificate_page, "certificate"),
            ("operations/<uuid:public_id>/reprendre/", operations.retry_operation, "retry-operation"),
        ]
        return [*steps, *(path(route, self.admin_view(view), name=name) for route, view, name in pages)]


site = Console(name="admin")
site.register(Town, TownAdmin)
site.register(Operation, OperationAdmin)
site.register(AuditEntry, AuditEntryAdmin)
site.register(Erasure, ErasureAdmin)
site.register(UnmatchedNotification, UnmatchedNotificationAdmin)
