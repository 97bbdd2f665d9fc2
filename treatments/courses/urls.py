"""Addresses of courses, beside those of the patient and of the diary."""

from django.urls import path

from treatments.courses import views

app_name = "courses"
urlpatterns = [
    path("courses/marks/", views.marks, name="marks"),
    path("courses/today/", views.today, name="today"),
    path("diary/<int:pk>/course/", views.appointment, name="appointment"),
    path("diary/<int:pk>/course/move/", views.move, name="move"),
    path("patients/<patient:number>/courses/", views.panel, name="panel"),
    path("patients/<patient:number>/courses/<int:plan_id>/", views.course, name="course"),
    path("patients/<patient:number>/courses/<int:plan_id>/cancel/", views.cancel, name="cancel"),
    path("patients/<patient:number>/courses/<int:plan_id>/count/", views.count, name="count"),
    path(
        "patients/<patient:number>/courses/<int:plan_id>/panel/",
        views.plan_panel,
        name="plan-panel",
    ),
]
