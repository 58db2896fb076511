"""Addresses of the one host declared to the payment providers, `paiement.<base domain>`."""

from django.urls import include, path

from config.urls.public import handler400, handler403, handler404, handler500, said_to_programs

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]

urlpatterns = [path("", include("tenant_apps.payments.online.incoming.addresses")), *said_to_programs]
