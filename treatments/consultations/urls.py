"""Addresses under /patients/<number>/consultations/."""

from django.urls import path

from treatments.consultations import views

app_name = "consultations"
urlpatterns = [
    path("", views.panel, name="panel"),
    path("start/", views.start, name="start"),
    path("<int:consultation_id>/", views.detail, name="detail"),
    path("<int:consultation_id>/edit/", views.edit, name="edit"),
    path("<int:consultation_id>/addenda/", views.addendum, name="addendum"),
]
