"""Addresses under /rights/."""

from django.urls import path

from patients.rights import views

app_name = "all-rights"
urlpatterns = [
    path("", views.index, name="index"),
    path("waiting/", views.waiting, name="waiting"),
]
