"""Addresses of a town's host."""

from django.urls import include, path

from config.urls.public import said_to_programs

urlpatterns = [
    *said_to_programs,
    path("gestion/", include("tenant_apps.backoffice.urls")),
    path("", include("tenant_apps.portal.urls")),
]

handler400 = "config.web.errors.bad_request"
handler403 = "config.web.errors.permission_denied"
handler404 = "config.web.errors.not_found"
handler500 = "config.web.errors.server_error"
