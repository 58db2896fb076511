"""The operator's host, `admin.<base domain>`."""

from django.urls import URLPattern

app_name = "console"
urlpatterns: list[URLPattern] = []
