"""Addresses of sessions: of a patient, and of those still open."""

from django.urls import path

from treatments.sessions import views

app_name = "sessions"
OF_PATIENT = "patients/<patient:number>/sessions/"
urlpatterns = [
    path("sessions/unfinished/", views.unfinished, name="unfinished"),
    path(f"{OF_PATIENT}panel/", views.panel, name="panel"),
    path(f"{OF_PATIENT}next/", views.following, name="next"),
    path(f"{OF_PATIENT}start/<int:pk>/", views.start, name="start"),
    path(f"{OF_PATIENT}<int:pk>/", views.detail, name="detail"),
    path(f"{OF_PATIENT}<int:pk>/edit/", views.edit, name="edit"),
    path(f"{OF_PATIENT}<int:pk>/save/", views.save, name="save"),
    path(f"{OF_PATIENT}<int:pk>/sign/", views.sign, name="sign"),
    path(f"{OF_PATIENT}<int:pk>/addendum/", views.addendum, name="addendum"),
]
