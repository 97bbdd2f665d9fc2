"""Addresses of the diary and of Today."""

from django.urls import path

from treatments.diary import day_views, desk_views, views

app_name = "diary"
urlpatterns = [
    path("today/", views.today, name="today"),
    path("diary/", day_views.diary, name="day"),
    path("diary/stamp/", day_views.stamp, name="stamp"),
    path("diary/undo/", day_views.undo, name="undo"),
    path("diary/walk-in/", desk_views.walked_in, name="walk-in"),
    path("diary/block/", desk_views.block, name="block"),
    path("diary/block/<int:pk>/", desk_views.unblock, name="unblock"),
    path("diary/book/", views.book, name="book"),
    path("diary/free/", views.free, name="free"),
    path("diary/<int:pk>/", views.appointment, name="appointment"),
    path("diary/<int:pk>/status/", views.status, name="status"),
    path("diary/<int:pk>/move/", views.move, name="move"),
    path("diary/<int:pk>/cancel/", views.cancel, name="cancel"),
    path("patients/<patient:number>/appointments/", views.patient_panel, name="patient-panel"),
]
