"""Addresses under /settings/aftercare/."""

from django.urls import path

from aftercare.sheets import settings_views

app_name = "sheet-texts"
urlpatterns = [
    path("", settings_views.index, name="index"),
    path("try/", settings_views.try_out, name="try"),
    path("new/", settings_views.new, name="new"),
    path("words/<slug:language>/", settings_views.words, name="words"),
    path(
        "words/<slug:language>/<int:version>/approve/",
        settings_views.words_approve,
        name="words-approve",
    ),
    path("advice/<slug:code>/", settings_views.block, name="block"),
    path("advice/<slug:code>/out/", settings_views.out, name="out"),
    path("advice/<slug:code>/<int:version>/", settings_views.version, name="version"),
    path("advice/<slug:code>/<int:version>/approve/", settings_views.approve, name="approve"),
]
