"""Addresses under /my/<token>/arrived/."""

from django.urls import path

from treatments.arrival import my_views

app_name = "my-arrival"
urlpatterns = [path("", my_views.home, name="home")]
