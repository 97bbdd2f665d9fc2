"""Addresses of the settings."""

from django.urls import path

from clinic.places import cleaning_views, hours_views, views

app_name = "places"
urlpatterns = [
    path("", views.index, name="index"),
    path("locations/new/", views.location, name="location-new"),
    path("locations/<int:pk>/", views.location, name="location"),
    path("locations/<int:pk>/days/", hours_views.location_days, name="location-days"),
    path("days/<int:pk>/", hours_views.location_day, name="location-day"),
    path("days/<int:pk>/remove/", hours_views.location_day_remove, name="location-day-remove"),
    path("rooms/new/", views.room, name="room-new"),
    path("rooms/<int:pk>/", views.room, name="room"),
    path("devices/new/", views.device, name="device-new"),
    path("devices/<int:pk>/", views.device, name="device"),
    path("devices/<int:pk>/cleanings/", cleaning_views.device_cleanings, name="device-cleanings"),
    path("cleaning/", cleaning_views.devices, name="cleaning"),
    path("staff/new/", views.staff, name="staff-new"),
    path("staff/<int:pk>/", views.staff, name="staff"),
    path("staff/<int:pk>/hours/", hours_views.week, name="week"),
    path("staff/<int:pk>/days/", hours_views.person_days, name="person-days"),
    path("staff/days/<int:pk>/", hours_views.person_day, name="person-day"),
    path("staff/days/<int:pk>/remove/", hours_views.person_day_remove, name="person-day-remove"),
    path("my-hours/", hours_views.my_hours, name="my-hours"),
]
