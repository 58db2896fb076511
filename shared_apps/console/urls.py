"""The operator's pages: django-unfold's admin, for operators only."""

from django.urls import path

from shared_apps.console.site import site

urlpatterns = [path("", site.urls)]
