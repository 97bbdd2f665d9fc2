"""Addresses under /my/<token>/."""

from django.urls import path

from patients.portal import passkey_views, views

app_name = "portal"
urlpatterns = [
    path("", views.home, name="home"),
    path("prove/", views.prove_birth_date, name="prove"),
    path("prove/passkey/", passkey_views.prove_at_door, name="prove-passkey"),
    path("still-here/", views.still_here, name="still-here"),
    path("agreed/", views.agreed, name="agreed"),
    path("opened/", views.opened, name="opened"),
    path("passkeys/", passkey_views.passkeys, name="passkeys"),
    path("passkeys/begin/", passkey_views.begin, name="passkey-begin"),
    path("passkeys/<int:pk>/remove/", passkey_views.remove, name="passkey-remove"),
    path("documents/<uuid:public_id>/", views.document, name="document"),
]
