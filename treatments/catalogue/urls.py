from django.urls import path

from treatments.catalogue import lot_views, views

app_name = "catalogue"
urlpatterns = [
    path("", views.index, name="index"),
    path("lots/", lot_views.lots, name="lots"),
    path("lots/receive/", lot_views.receive, name="lot-receive"),
    path("lots/<int:pk>/", lot_views.state, name="lot-state"),
    path("<slug:kind>/", views.rows, name="rows"),
    path("<slug:kind>/<slug:code>/", views.row, name="row"),
    path("<slug:kind>/<slug:code>/edit/", views.edit, name="edit"),
    path("<slug:kind>/<slug:code>/<int:version>/approve/", views.approve, name="approve"),
    path("<slug:kind>/<slug:code>/<int:version>/use/", views.use, name="use"),
]
