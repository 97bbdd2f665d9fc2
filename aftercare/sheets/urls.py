from django.urls import path

from aftercare.sheets import views

app_name = "sheets"
urlpatterns = [
    path("", views.panel_all, name="panel-all"),
    path("bar/", views.bar, name="bar"),
    path("<int:pk>/", views.detail, name="detail"),
    path("<int:pk>/send/", views.send, name="send"),
    path("session/<int:session_id>/", views.panel, name="panel"),
    path("session/<int:session_id>/give/", views.give, name="give"),
    path("session/<int:session_id>/prepare/", views.prepare, name="prepare"),
]
