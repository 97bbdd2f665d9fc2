"""Addresses under /patients/<number>/scales/."""

from django.urls import path

from treatments.scales import views

app_name = "scales"
urlpatterns = [path("", views.panel, name="panel")]
