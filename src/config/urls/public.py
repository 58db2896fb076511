"""Addresses that every host has (health), and those of the platform's own host (certificates)."""

from django.urls import path

from config.web import certificates, health, wellknown

said_to_programs = [
    path(".well-known/security.txt", wellknown.security_txt, name="security-txt"),
    path("robots.txt", wellknown.robots_txt, name="robots-txt"),
]
urlpatterns = [
    *said_to_programs,
    path("healthz/live", health.live, name="health-live"),
    path("healthz/ready", health.ready, name="health-ready"),
    path("healthz/databases", health.databases, name="health-databases"),
    path("interne/certificat", certificates.ask, name="certificate-ask"),
]

handler400 = "config.web.errors.bad_request"
handler403 = "config.web.errors.permission_denied"
handler404 = "config.web.errors.not_found"
handler500 = "config.web.errors.server_error"
