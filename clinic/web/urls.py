"""Addresses that belong to no room."""

from django.urls import path

from clinic.web import gallery, health

urlpatterns = [
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("design/", gallery.gallery, name="design"),
]
