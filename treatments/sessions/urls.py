"""Addresses under /patients/<number>/sessions/."""

from django.urls import path

from treatments.sessions import views

app_name = "sessions"
urlpatterns = [
    path("panel/", views.panel, name="panel"),
    path("next/", views.following, name="next"),
    path("start/<int:pk>/", views.start, name="start"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/edit/", views.edit, name="edit"),
    path("<int:pk>/save/", views.save, name="save"),
    path("<int:pk>/sign/", views.sign, name="sign"),
    path("<int:pk>/addendum/", views.addendum, name="addendum"),
]
