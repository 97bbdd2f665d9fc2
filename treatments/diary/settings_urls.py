"""Addresses of the settings that appointments hang on, and of the list of those to be moved."""

from django.urls import path

from treatments.diary import settings_views as views

app_name = "planning"
urlpatterns = [
    path("settings/services/", views.services, name="services"),
    path("settings/services/new/", views.service, name="service-new"),
    path("settings/services/<int:pk>/", views.service, name="service"),
    path("settings/staff/<int:pk>/leave/", views.leave, name="leave"),
    path("settings/rooms/<int:pk>/outage/", views.room_outage, name="room-outage"),
    path("settings/devices/<int:pk>/outage/", views.device_outage, name="device-outage"),
    path("settings/locations/<int:pk>/closed/", views.closure, name="closure"),
    path("settings/absences/", views.absences, name="absences"),
    path("settings/absences/<int:pk>/end/", views.absence_end, name="absence-end"),
    path("settings/my-hours/away/", views.my_absences, name="my-absences"),
    path("diary/to-move/", views.to_move, name="to-move"),
    path("diary/to-move/panel/", views.to_move_panel, name="to-move-panel"),
]
