"""Addresses under /patients/<number>/photos/."""

from django.urls import path

from patients.photos import allowing_views, file_views, sharing_views, views

app_name = "photos"
urlpatterns = [
    path("", views.gallery, name="gallery"),
    path("panel/", views.panel, name="panel"),
    path("avatar/", views.avatar, name="avatar"),
    path("take/", views.take, name="take"),
    path("add/", views.add, name="add"),
    path("compare/", views.compare, name="compare"),
    path("permissions/", allowing_views.permissions, name="permissions"),
    path("permissions/give/", allowing_views.give_permission, name="give"),
    path("permissions/withdraw/", allowing_views.withdraw_permission, name="withdraw"),
    path("<uuid:public_id>/", views.detail, name="detail"),
    path("<uuid:public_id>/share/", sharing_views.share, name="share"),
    path("<uuid:public_id>/unshare/", sharing_views.unshare, name="unshare"),
    path("<uuid:public_id>/correct/", views.correct, name="correct"),
    path("<uuid:public_id>/remove/", views.remove, name="remove"),
    path("<uuid:public_id>/put-back/", views.restore, name="put-back"),
    path("<uuid:public_id>/thumb/", file_views.picture, {"size": "thumb"}, name="thumb"),
    path("<uuid:public_id>/screen/", file_views.picture, {"size": "screen"}, name="screen"),
    path("<uuid:public_id>/full/", file_views.picture, {"size": "full"}, name="full"),
    path("<uuid:public_id>/teaching/", file_views.give_out, {"use": "teaching"}, name="teaching"),
    path(
        "<uuid:public_id>/publicity/", file_views.give_out, {"use": "publicity"}, name="publicity"
    ),
]
