"""Addresses of a town's host."""

from django.urls import include, path

from config.urls_public import said_to_programs

urlpatterns = [
    *said_to_programs,
    path("gestion/", include("tenant_apps.backoffice.urls")),
    path("", include("tenant_apps.portal.urls")),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
