from django.urls import path

from treatments.stock import change_views, views

app_name = "stock"
urlpatterns = [
    path("", views.lots, name="lots"),
    path("products/", views.products, name="products"),
    path("products/<slug:code>/level/", change_views.level, name="level"),
    path("products/<slug:code>/here/", views.of_product, name="of-product"),
    path("receive/", change_views.receive, name="receive"),
    path("today/", views.today, name="today"),
    path("<int:pk>/", views.lot, name="lot"),
    path("<int:pk>/open/", change_views.open_container, name="open"),
    path("<int:pk>/count/", change_views.count, name="count"),
    path("<int:pk>/waste/", change_views.waste, name="waste"),
    path("<int:pk>/correct/", change_views.correct, name="correct"),
    path("<int:pk>/state/", change_views.state, name="state"),
    path("containers/<int:pk>/discard/", change_views.discard, name="discard"),
]
