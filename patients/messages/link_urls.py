"""Addresses under /patients/<number>/links/."""

from django.urls import path

from patients.messages import door_views, views

app_name = "links"
urlpatterns = [
    path("", views.send, name="send"),
    path("close/", views.close, name="close"),
    path("door/", door_views.reset, name="door"),
]
