"""Addresses under /my/<token>/today/."""

from django.urls import path

from aftercare.recovery import views

app_name = "my-recovery"
urlpatterns = [
    path("", views.page, name="page"),
    path("panel/", views.panel, name="panel"),
]
