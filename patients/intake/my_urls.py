"""Addresses under /my/<token>/history/."""

from django.urls import path

from patients.intake import my_views

app_name = "my-history"
urlpatterns = [
    path("", my_views.start, name="start"),
    path("panel/", my_views.panel, name="panel"),
    path("check/", my_views.check, name="check"),
    path("unchanged/", my_views.unchanged, name="unchanged"),
    path("handed/", my_views.handed, name="handed"),
    path("done/", my_views.done, name="done"),
    path("<slug:step>/", my_views.step, name="step"),
]
