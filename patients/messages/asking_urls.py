"""Addresses under /my/ that need no link: a new one is asked for."""

from django.urls import path

from patients.messages import asking_views

app_name = "my-link"
urlpatterns = [
    path("", asking_views.ask, name="ask"),
    path("sent/", asking_views.sent, name="sent"),
    path("<str:token>/again/", asking_views.again, name="again"),
]
