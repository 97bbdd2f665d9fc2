"""Addresses under /my/passkey/: the way in for who has a passkey."""

from django.urls import path

from patients.portal import passkey_views

app_name = "my-passkey"
urlpatterns = [
    path("", passkey_views.use, name="use"),
    path("begin/", passkey_views.begin_use, name="begin"),
]
