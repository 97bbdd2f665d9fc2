"""Addresses of the diary and of Today."""

from django.urls import path

from treatments.diary import views

app_name = "diary"
urlpatterns = [
    path("today/", views.today, name="today"),
    path("diary/", views.diary, name="day"),
    path("diary/book/", views.book, name="book"),
    path("diary/free/", views.free, name="free"),
    path("diary/<int:pk>/", views.appointment, name="appointment"),
    path("diary/<int:pk>/status/", views.status, name="status"),
    path("diary/<int:pk>/move/", views.move, name="move"),
    path("diary/<int:pk>/cancel/", views.cancel, name="cancel"),
    path("patients/<patient:number>/appointments/", views.patient_panel, name="patient-panel"),
]
