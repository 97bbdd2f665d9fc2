from django.urls import path

from aftercare.sheets import views

app_name = "sheets"
urlpatterns = [
    path("", views.panel_all, name="panel-all"),
    path("<int:pk>/", views.detail, name="detail"),
    path("session/<int:session_id>/", views.panel, name="panel"),
    path("session/<int:session_id>/give/", views.give, name="give"),
]
