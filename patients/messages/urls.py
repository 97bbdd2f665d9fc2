"""Addresses under /messages/."""

from django.urls import path

import clinic.web.converters  # noqa: F401  (registers <patient:number>)
from patients.messages import views

app_name = "messages"
urlpatterns = [
    path("", views.index, name="index"),
    path("failures/", views.failures, name="failures"),
    path("of/<patient:number>/", views.panel, name="panel"),
    path("of/<patient:number>/choices/", views.choices, name="choices"),
    path("<int:pk>/settle/", views.settle, name="settle"),
]
