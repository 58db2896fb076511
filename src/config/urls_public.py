"""Addresses of the platform's own hosts, and what every host answers (health)."""

from django.urls import include, path

from config import health

urlpatterns = [
    path("healthz/live", health.live, name="health-live"),
    path("healthz/ready", health.ready, name="health-ready"),
    path("", include("shared_apps.treasury.urls")),
    path("", include("shared_apps.console.urls")),
]

handler400 = "config.errors.bad_request"
handler403 = "config.errors.permission_denied"
handler404 = "config.errors.not_found"
handler500 = "config.errors.server_error"
