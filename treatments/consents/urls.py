"""Addresses of consents: of a patient, and of today's patients."""

from django.urls import path

from treatments.consents import accept_views, desk_views, views

app_name = "consents"
OF_PATIENT = "patients/<patient:number>/consents/"
ONE = f"{OF_PATIENT}<int:consent_id>/"
urlpatterns = [
    path("consents/today/", views.today, name="today"),
    path("consents/mine/", views.mine, name="mine"),
    path("consents/marks/", views.marks, name="marks"),
    path(OF_PATIENT, views.panel, name="panel"),
    path(f"{OF_PATIENT}bar/", views.bar, name="bar"),
    path(f"{OF_PATIENT}to-sign/", desk_views.to_sign, name="to-sign"),
    path(f"{OF_PATIENT}plan/<int:plan_id>/", views.of_plan, name="plan"),
    path(f"{OF_PATIENT}plan/<int:plan_id>/accept/", accept_views.accept, name="accept"),
    path(f"{OF_PATIENT}plan/<int:plan_id>/prepare/", views.prepare, name="prepare"),
    path(ONE, views.detail, name="detail"),
    path(f"{ONE}send/", desk_views.send, name="send"),
    path(f"{ONE}hand-over/", desk_views.hand_over, name="hand-over"),
    path(f"{ONE}code/", desk_views.code, name="code"),
    path(f"{ONE}standing/", views.standing, name="standing"),
    path(f"{OF_PATIENT}to-call/", views.to_call, name="to-call"),
    path(f"{ONE}state/", desk_views.state, name="state"),
    path(f"{ONE}beside/<slug:role>/", desk_views.attend, name="attend"),
    path(f"{ONE}beside/<slug:role>/waive/", views.waive, name="waive"),
    path(f"{ONE}open/", views.open_here, name="open"),
    path(f"{ONE}sign/", views.sign, name="sign"),
    path(f"{ONE}signed/", views.signed, name="signed"),
    path(f"{ONE}questions/", views.note_question, name="note-question"),
    path(f"{ONE}questions/<int:question_id>/", views.answer, name="answer"),
    path(f"{ONE}countersign/", views.countersign_view, name="countersign"),
    path(f"{ONE}withdraw/", views.withdraw_view, name="withdraw"),
]
