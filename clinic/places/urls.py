"""Addresses of the settings."""

from django.urls import path

from clinic.places import views

app_name = "places"
urlpatterns = [
    path("", views.index, name="index"),
    path("locations/new/", views.location, name="location-new"),
    path("locations/<int:pk>/", views.location, name="location"),
    path("rooms/new/", views.room, name="room-new"),
    path("rooms/<int:pk>/", views.room, name="room"),
    path("devices/new/", views.device, name="device-new"),
    path("devices/<int:pk>/", views.device, name="device"),
    path("staff/new/", views.staff, name="staff-new"),
    path("staff/<int:pk>/", views.staff, name="staff"),
]
