from django.urls import path

from aftercare.watch import my_views

app_name = "my-check-ins"
urlpatterns = [
    path("", my_views.my_panel, name="panel"),
    path("<int:pk>/", my_views.my_check_in, name="check-in"),
]
