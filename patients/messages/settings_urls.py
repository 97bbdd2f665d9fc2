"""Addresses under /settings/messages/."""

from django.urls import path

from patients.messages import settings_views

app_name = "message-settings"
urlpatterns = [
    path("", settings_views.index, name="index"),
    path("<slug:kind>/<slug:language>/", settings_views.words, name="words"),
]
