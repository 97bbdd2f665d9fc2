from django.urls import path

from treatments.catalogue import views

app_name = "catalogue"
urlpatterns = [
    path("", views.index, name="index"),
    path("<slug:kind>/", views.rows, name="rows"),
    path("<slug:kind>/new/", views.add, name="add"),
    path("<slug:kind>/<slug:code>/", views.row, name="row"),
    path("<slug:kind>/<slug:code>/edit/", views.edit, name="edit"),
    path("<slug:kind>/<slug:code>/<int:version>/approve/", views.approve, name="approve"),
    path("<slug:kind>/<slug:code>/<int:version>/out/", views.out_of_use, name="out-of-use"),
    path("<slug:kind>/<slug:code>/<int:version>/use/", views.use, name="use"),
]
