"""Addresses of plans: of a patient, and what the stock page asks of them."""

from django.urls import path

from treatments.plans import views

app_name = "plans"
OF_PATIENT = "patients/<patient:number>/plans/"
urlpatterns = [
    path("plans/stock/", views.stock_need, name="stock-need"),
    path(OF_PATIENT, views.panel, name="panel"),
    path(f"{OF_PATIENT}bar/", views.bar, name="bar"),
    path(f"{OF_PATIENT}new/", views.new, name="new"),
    path(f"{OF_PATIENT}<int:plan_id>/", views.detail, name="detail"),
    path(f"{OF_PATIENT}<int:plan_id>/edit/", views.edit, name="edit"),
    path(f"{OF_PATIENT}<int:plan_id>/decline/", views.decline, name="decline"),
    path(f"{OF_PATIENT}<int:plan_id>/stop/", views.stop, name="stop"),
    path(f"{OF_PATIENT}<int:plan_id>/stops/<int:rule_id>/", views.answer_stop, name="answer-stop"),
]
