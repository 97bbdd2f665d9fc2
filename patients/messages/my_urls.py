"""Addresses under /my/<token>/messages/."""

from django.urls import path

from patients.messages import my_views

app_name = "my-messages"
urlpatterns = [
    path("", my_views.choices, name="choices"),
    path("sent/", my_views.sent, name="sent"),
    path("panel/", my_views.panel, name="panel"),
]
