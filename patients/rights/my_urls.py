"""Addresses under /my/<token>/data/."""

from django.urls import path

from patients.rights import my_views

app_name = "my-data"
urlpatterns = [
    path("", my_views.index, name="index"),
    path("ask/", my_views.ask_for, name="ask"),
    path("copy/", my_views.copy, name="copy"),
    path("state/", my_views.state, name="state"),
    path("copy/<uuid:public_id>/", my_views.download, {"kind": "zip"}, name="zip"),
    path("copy/<uuid:public_id>/data/", my_views.download, {"kind": "json"}, name="json"),
    path("copy/<uuid:public_id>/record/", my_views.download, {"kind": "pdf"}, name="pdf"),
]
