from django.urls import path

from aftercare.sheets import views

app_name = "my-sheets"
urlpatterns = [
    path("", views.my_panel, name="panel"),
    path("<int:pk>/", views.my_sheet, name="sheet"),
    path("<int:pk>/read/", views.my_sheet_read, name="read"),
]
