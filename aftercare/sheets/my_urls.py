from django.urls import path

from aftercare.sheets import my_views

app_name = "my-sheets"
urlpatterns = [
    path("", my_views.panel, name="panel"),
    path("<int:pk>/", my_views.sheet, name="sheet"),
    path("<int:pk>/opened/", my_views.opened, name="opened"),
    path("<int:pk>/read/", my_views.read, name="read"),
]
