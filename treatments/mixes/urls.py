"""Addresses under /patients/<number>/syringes/."""

from django.urls import path

from treatments.mixes import views

app_name = "mixes"
urlpatterns = [
    path("<int:pk>/label/", views.label, name="label"),
]
