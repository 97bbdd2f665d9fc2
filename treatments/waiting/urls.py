"""Addresses of the waiting list."""

from django.urls import path

from treatments.waiting import offer_views, views

app_name = "waiting"
urlpatterns = [
    path("waiting/", views.entries, name="list"),
    path("waiting/today/", offer_views.today, name="today"),
    path("waiting/takers/", offer_views.takers, name="takers"),
    path("waiting/freed/<int:pk>/", offer_views.freed_time, name="freed"),
    path("waiting/freed/<int:pk>/leave/", offer_views.leave_free, name="leave-free"),
    path("waiting/offers/<int:pk>/", offer_views.answer, name="answer"),
    path("waiting/<int:pk>/", views.entry, name="entry"),
    path("waiting/<int:pk>/change/", views.change, name="change"),
    path("waiting/<int:pk>/withdraw/", views.withdraw, name="withdraw"),
    path("waiting/<int:pk>/book/", offer_views.book, name="book"),
    path("waiting/<int:pk>/offer/", offer_views.offer, name="offer"),
    path("patients/<patient:number>/waiting/", views.patient_panel, name="patient-panel"),
    path("patients/<patient:number>/waiting/add/", views.add, name="add"),
]
