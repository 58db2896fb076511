"""What staff see, under `/gestion/`."""

from django.urls import path

from tenant_apps.backoffice.views import (
    attempts,
    examining,
    going_live,
    home,
    imports,
    intervention,
    invoices,
    letters,
    payers,
    town,
)

app_name = "backoffice"
urlpatterns = [
    path("", home.home, name="home"),
    path("recherche/", home.search, name="search"),
    path("imports/", imports.batch_list, name="batches"),
    path("imports/nouveau/", imports.new_batch, name="new-batch"),
    path("imports/exemple.csv", imports.sample, name="sample"),
    path("imports/<uuid:public_id>/", imports.batch_page, name="batch"),
    path("imports/<uuid:public_id>/etat/", imports.batch_progress, name="batch-progress"),
    path("imports/<uuid:public_id>/problemes.csv", imports.problems_file, name="batch-problems"),
    path("imports/<uuid:public_id>/publier/", imports.publish, name="publish-batch"),
    path("imports/<uuid:public_id>/abandonner/", imports.discard, name="discard-batch"),
    path("imports/<uuid:public_id>/retirer/", imports.take_back, name="take-back-batch"),
    path("factures/", invoices.invoice_list, name="invoices"),
    path("factures/<uuid:public_id>/", invoices.invoice_page, name="invoice"),
    path("factures/<uuid:public_id>/pdf/", invoices.invoice_pdf, name="invoice-pdf"),
    path("tentatives/<uuid:public_id>/verifier/", attempts.check_attempt, name="check-attempt"),
    path("tentatives/<uuid:public_id>/confirmer/", attempts.confirm, name="confirm-attempt"),
    path("tentatives/<uuid:public_id>/refuser/", attempts.refuse, name="refuse-attempt"),
    path("tentatives/<uuid:public_id>/rejeter/", attempts.reject, name="reject-attempt"),
    path("factures/<uuid:public_id>/en-ligne/", attempts.hold, name="hold-invoice"),
    path("a-examiner/", examining.examine, name="examine"),
    path("a-examiner/<uuid:public_id>/classer/", examining.close, name="close-finding"),
    path("redevables/", payers.payer_list, name="payers"),
    path("redevables/<uuid:public_id>/", payers.payer_page, name="payer"),
    path("messages/", letters.message_list, name="messages"),
    path("messages/<uuid:public_id>/", letters.message_page, name="message"),
    path("messages/<uuid:public_id>/traite/", letters.mark_handled, name="handle-message"),
    path("courriels/", letters.mail_list, name="mails"),
    path("courriels/<uuid:public_id>/renvoyer/", letters.resend, name="resend-mail"),
    path("intervention/terminer/", intervention.leave, name="leave-intervention"),
    path("intervention/<str:ticket>/", intervention.enter, name="enter-intervention"),
    path("interventions/", intervention.interventions, name="interventions"),
    path("commune/", town.town_page, name="town"),
    path("commune/produits/<int:pk>/", town.product_page, name="product"),
    path("commune/produits/<int:pk>/mise-en-service/", going_live.going_live, name="going-live"),
]
