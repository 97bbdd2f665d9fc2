"""Addresses under /my/<token>/photos/."""

from django.urls import path

from patients.photos import my_views

app_name = "my-photos"
urlpatterns = [
    path("panel/", my_views.panel, name="panel"),
    path("", my_views.choices, name="choices"),
    path("<slug:use>/withdraw/", my_views.take_back, name="withdraw"),
]
