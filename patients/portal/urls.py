"""Addresses under /my/<token>/."""

from django.urls import path

from patients.portal import views

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("prove/", views.prove_birth_date, name="prove"),
    path("documents/<uuid:public_id>/", views.document, name="document"),
]
