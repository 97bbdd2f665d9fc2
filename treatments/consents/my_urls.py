"""Addresses under /my/<token>/consents/."""

from django.urls import path

from treatments.consents import my_views

app_name = "my-consents"
urlpatterns = [
    path("", my_views.panel, name="panel"),
    path("<int:consent_id>/", my_views.read, name="read"),
    path("<int:consent_id>/withdraw/", my_views.take_back, name="withdraw"),
]
