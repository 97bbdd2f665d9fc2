"""Addresses under /patients/<number>/story/."""

from django.urls import path

from aftercare.story import views

app_name = "story"
urlpatterns = [
    path("", views.page, name="page"),
    path("print/", views.print_whole, name="print"),
    path("print/<int:session_id>/", views.print_one, name="print-session"),
    path("printed/<int:session_id>/", views.printed, name="printed"),
]
