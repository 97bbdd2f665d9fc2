"""Addresses under /patients/<number>/plans/."""

from django.urls import path

from treatments.plans import views

app_name = "plans"
urlpatterns = [
    path("", views.panel, name="panel"),
    path("bar/", views.bar, name="bar"),
    path("new/", views.new, name="new"),
    path("<int:plan_id>/", views.detail, name="detail"),
    path("<int:plan_id>/edit/", views.edit, name="edit"),
    path("<int:plan_id>/accept/", views.accept, name="accept"),
    path("<int:plan_id>/stop/", views.stop, name="stop"),
]
