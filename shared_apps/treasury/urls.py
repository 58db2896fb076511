"""The one declared callback host, `paiement.<base domain>` (docs/payfip.md §2)."""

from django.urls import path

from shared_apps.treasury import views

app_name = "treasury"
urlpatterns = [
    path("payfip/notification/", views.payfip_notification, name="payfip-notification"),
    path("tipi/<slug:token>/", views.tipi_callback, name="tipi-callback"),
]
