"""Addresses under /my/<token>/messages/."""

from django.urls import path

from patients.messages import door_views, my_views

app_name = "my-messages"
urlpatterns = [
    path("", my_views.choices, name="choices"),
    path("door/", door_views.my_door, name="door"),
    path("sent/", my_views.sent, name="sent"),
    path("panel/", my_views.panel, name="panel"),
]
