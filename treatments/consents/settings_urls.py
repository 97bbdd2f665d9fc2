"""Addresses under /settings/consents/."""

from django.urls import path

from treatments.consents import settings_views, words_views

app_name = "consent-texts"
urlpatterns = [
    path("", settings_views.index, name="index"),
    path("words/<slug:language>/", words_views.words, name="words"),
    path(
        "words/<slug:language>/<int:version>/approve/",
        words_views.words_approve,
        name="words-approve",
    ),
    path("<slug:code>/", settings_views.edit, name="edit"),
    path("<slug:code>/<int:version>/", settings_views.version, name="version"),
    path("<slug:code>/<int:version>/approve/", settings_views.approve, name="approve"),
]
