"""Addresses under /my/<token>/photos/."""

from django.urls import path

from patients.photos import my_views

app_name = "my-photos"
urlpatterns = [
    path("panel/", my_views.panel, name="panel"),
    path("", my_views.choices, name="choices"),
    path("agreed/", my_views.agreed, name="agreed"),
    path("pictures/", my_views.pictures, name="pictures"),
    path("pictures/<uuid:public_id>/", my_views.picture, {"size": "screen"}, name="picture"),
    path("pictures/<uuid:public_id>/small/", my_views.picture, {"size": "thumb"}, name="small"),
    path("<slug:use>/withdraw/", my_views.take_back, name="withdraw"),
]
