"""The one declared callback host, `paiement.<base domain>` (payfip.md §2)."""

from django.urls import URLPattern

app_name = "treasury"
urlpatterns: list[URLPattern] = []
