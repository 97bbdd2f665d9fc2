"""Addresses of the calendar feeds."""

from django.urls import path

from treatments.feeds import views

app_name = "feeds"
urlpatterns = [
    path("settings/feeds/", views.index, name="index"),
    path("settings/feeds/<slug:kind>/<int:pk>/", views.change, name="change"),
    path("feeds/<str:token>.ics", views.calendar, name="calendar"),
]
