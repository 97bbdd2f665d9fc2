"""Addresses of the registry."""

from django.urls import path

from patients.registry import merge_views, views

app_name = "patients"
urlpatterns = [
    path("", views.search, name="search"),
    path("register/", views.register, name="register"),
    path("register/similar/", views.similar, name="similar"),
    path("register/link/", views.link, name="link"),
    path("<patient:number>/", views.detail, name="detail"),
    path("<patient:number>/edit/", views.edit, name="edit"),
    path("<patient:number>/access-log/", views.access_log, name="access-log"),
    path("<patient:number>/earlier/", merge_views.earlier, name="earlier"),
    path("<patient:number>/merge/", merge_views.compare, name="compare"),
    path("<patient:number>/merge/now/", merge_views.merge, name="merge"),
    path("<patient:number>/merge/<int:pk>/undo/", merge_views.unmerge, name="unmerge"),
]
