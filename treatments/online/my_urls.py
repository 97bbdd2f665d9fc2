"""Addresses under /my/<token>/visits/: none says who or what for."""

from django.urls import path

from treatments.online import my_views

app_name = "my-visits"
urlpatterns = [
    path("", my_views.panel, name="panel"),
    path("book/", my_views.book, name="book"),
    path("<int:pk>/", my_views.visit, name="visit"),
    path("<int:pk>/move/", my_views.move, name="move"),
    path("<int:pk>/cancel/", my_views.cancel, name="cancel"),
    path("<int:pk>/visit.ics", my_views.calendar, name="calendar"),
    path("times/<uuid:public_id>/", my_views.times, name="times"),
    path("times/<uuid:public_id>/confirm/", my_views.confirm, name="confirm"),
    path("times/<uuid:public_id>/code/", my_views.code, name="code"),
]
