"""What staff see, under `/gestion/`."""

from django.urls import URLPattern

app_name = "backoffice"
urlpatterns: list[URLPattern] = []
