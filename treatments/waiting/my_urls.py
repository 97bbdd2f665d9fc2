"""Addresses under /my/<token>/offers/."""

from django.urls import path

from treatments.waiting import my_views

app_name = "my-offers"
urlpatterns = [
    path("", my_views.panel, name="panel"),
    path("<int:pk>/", my_views.offer, name="offer"),
]
