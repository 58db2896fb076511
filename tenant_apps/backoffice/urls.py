"""What staff see, under `/gestion/`."""

from django.urls import path

from tenant_apps.backoffice.views import access_requests, home, imports, invoices, mails, payers, threads
from tenant_apps.backoffice.views.money import (
    attempts,
    corrections,
    deposits,
    examining,
    figures,
    payments,
    reconciliation,
    reconciliation_lines,
)
from tenant_apps.backoffice.views.settings import going_live, identity, intervention, openid, privacy, town

app_name = "backoffice"
urlpatterns = [
    path("", home.home, name="home"),
    path("recherche/", home.search, name="search"),
    path("imports/", imports.batch_list, name="batches"),
    path("imports/nouveau/", imports.new_batch, name="new-batch"),
    path("imports/exemple.<slug:name>", imports.sample, name="sample"),
    path("imports/<uuid:public_id>/", imports.batch_page, name="batch"),
    path("imports/<uuid:public_id>/etat/", imports.batch_progress, name="batch-progress"),
    path("imports/<uuid:public_id>/problemes.csv", imports.problems_file, name="batch-problems"),
    path("imports/<uuid:public_id>/publier/", imports.publish, name="publish-batch"),
    path("imports/<uuid:public_id>/redevables/<int:pk>/", imports.answer, name="answer-payer"),
    path("imports/<uuid:public_id>/redevables/reconnus/", imports.recognise, name="recognise-batch"),
    path("imports/<uuid:public_id>/abandonner/", imports.discard, name="discard-batch"),
    path("imports/<uuid:public_id>/reessayer/", imports.retry, name="retry-batch"),
    path("imports/<uuid:public_id>/retirer/", imports.take_back, name="take-back-batch"),
    path("factures/", invoices.invoice_list, name="invoices"),
    path("factures/<uuid:public_id>/", invoices.invoice_page, name="invoice"),
    path("factures/<uuid:public_id>/pdf/", invoices.invoice_pdf, name="invoice-pdf"),
    path("factures/<uuid:public_id>/avoir/", corrections.credit, name="credit-invoice"),
    path("encaissements/", payments.payment_list, name="payments"),
    path("encaissements/nouveau/", payments.new_payment, name="new-payment"),
    path("encaissements/trop-percus/", corrections.left_over, name="left-over"),
    path("encaissements/declarations/", corrections.declaration_list, name="declarations"),
    path(
        "encaissements/declarations/<uuid:public_id>/refuser/",
        corrections.refuse_declaration,
        name="refuse-declaration",
    ),
    path("encaissements/<uuid:public_id>/", payments.payment_page, name="payment"),
    path("encaissements/<uuid:public_id>/justificatif.pdf", payments.payment_receipt, name="payment-receipt"),
    path("encaissements/<uuid:public_id>/annuler/", payments.cancel, name="cancel-payment"),
    path("encaissements/<uuid:public_id>/affecter/", corrections.allocate, name="allocate-payment"),
    path("encaissements/<uuid:public_id>/rembourser/", corrections.refund, name="refund-payment"),
    path("remises/", deposits.deposit_list, name="deposits"),
    path("remises/nouvelle/", deposits.new_deposit, name="new-deposit"),
    path("remises/<uuid:public_id>/", deposits.deposit_page, name="deposit"),
    path("remises/<uuid:public_id>/bordereau.pdf", deposits.deposit_pdf, name="deposit-pdf"),
    path("remises/<uuid:public_id>/bordereau.csv", deposits.deposit_csv, name="deposit-csv"),
    path("rapprochement/", reconciliation.statement_list, name="statements"),
    path("rapprochement/nouveau/", reconciliation.new_statement, name="new-statement"),
    path("rapprochement/absents/", figures.missing, name="missing"),
    path("rapprochement/journees/", figures.days, name="days"),
    path("rapprochement/encaissements.csv", figures.accountant_file, name="accountant-file"),
    path("rapprochement/<uuid:public_id>/", reconciliation.statement_page, name="statement"),
    path(
        "rapprochement/<uuid:public_id>/colonnes/", reconciliation.statement_columns, name="statement-columns"
    ),
    path("rapprochement/<uuid:public_id>/chercher/", reconciliation.look_again, name="look-again-statement"),
    path(
        "rapprochement/<uuid:public_id>/avancement/",
        reconciliation.statement_progress,
        name="statement-progress",
    ),
    path("rapprochement/<uuid:public_id>/reprendre/", reconciliation.retry_statement, name="retry-statement"),
    path(
        "rapprochement/<uuid:public_id>/retirer/",
        reconciliation.withdraw_statement,
        name="withdraw-statement",
    ),
    path(
        "rapprochement/<uuid:public_id>/supprimer/",
        reconciliation.discard_statement,
        name="discard-statement",
    ),
    path("rapprochement/lignes/<uuid:public_id>/", reconciliation_lines.line_page, name="line"),
    path(
        "rapprochement/lignes/<uuid:public_id>/associer/", reconciliation_lines.match_line, name="match-line"
    ),
    path(
        "rapprochement/lignes/<uuid:public_id>/total/",
        reconciliation_lines.match_total,
        name="match-total-line",
    ),
    path(
        "rapprochement/lignes/<uuid:public_id>/reprise/",
        reconciliation_lines.take_back,
        name="take-back-line",
    ),
    path("rapprochement/lignes/<uuid:public_id>/jumelle/", reconciliation_lines.twin_line, name="twin-line"),
    path(
        "rapprochement/lignes/<uuid:public_id>/enregistrer/", reconciliation_lines.book_line, name="book-line"
    ),
    path(
        "rapprochement/lignes/<uuid:public_id>/ecarter/", reconciliation_lines.ignore_line, name="ignore-line"
    ),
    path(
        "rapprochement/lignes/<uuid:public_id>/rouvrir/", reconciliation_lines.reopen_line, name="reopen-line"
    ),
    path("tentatives/<uuid:public_id>/verifier/", attempts.check_attempt, name="check-attempt"),
    path("tentatives/<uuid:public_id>/confirmer/", attempts.confirm, name="confirm-attempt"),
    path("tentatives/<uuid:public_id>/refuser/", attempts.refuse, name="refuse-attempt"),
    path("tentatives/<uuid:public_id>/rejeter/", attempts.reject, name="reject-attempt"),
    path("factures/<uuid:public_id>/en-ligne/", attempts.change_online_hold, name="hold-invoice"),
    path("a-examiner/", examining.examine, name="examine"),
    path("a-examiner/<uuid:public_id>/classer/", examining.close, name="close-finding"),
    path("redevables/", payers.payer_list, name="payers"),
    path("redevables/<uuid:public_id>/", payers.payer_page, name="payer"),
    path("rattachements/", access_requests.access_request_list, name="claims"),
    path("rattachements/<uuid:public_id>/", access_requests.access_request_page, name="claim"),
    path("rattachements/<uuid:public_id>/accepter/", access_requests.accept, name="accept-claim"),
    path("rattachements/<uuid:public_id>/refuser/", access_requests.refuse, name="refuse-claim"),
    path("messages/", threads.message_list, name="messages"),
    path("messages/<uuid:public_id>/", threads.message_page, name="message"),
    path("messages/<uuid:public_id>/repondre/", threads.answer, name="answer-message"),
    path("messages/<uuid:public_id>/traite/", threads.mark_handled, name="handle-message"),
    path("messages/<uuid:public_id>/rouvrir/", threads.reopen, name="reopen-message"),
    path("messages/<uuid:public_id>/transmettre/", threads.release, name="release-message"),
    path("messages/<uuid:public_id>/fichiers/<uuid:file_id>/", threads.message_file, name="message-file"),
    path("redevables/<uuid:public_id>/adresses/ajouter/", payers.add_email, name="add-payer-email"),
    path("redevables/<uuid:public_id>/adresses/", payers.change_email, name="payer-email"),
    path("redevables/<uuid:public_id>/acces/", payers.change_access, name="payer-access"),
    path("courriels/", mails.mail_list, name="mails"),
    path("courriels/<uuid:public_id>/renvoyer/", mails.resend, name="resend-mail"),
    path("intervention/terminer/", intervention.leave, name="leave-intervention"),
    path("intervention/<str:ticket>/", intervention.enter, name="enter-intervention"),
    path("interventions/", intervention.interventions, name="interventions"),
    path("effacements/<uuid:public_id>/", privacy.erasure_page, name="erasure"),
    path("commune/", town.town_page, name="town"),
    path("commune/donnees-personnelles/", privacy.privacy_page, name="privacy"),
    path("commune/logo/", identity.identity_page, name="identity"),
    path("commune/textes/", identity.notices_page, name="notices"),
    path("commune/connexion/", openid.openid_page, name="openid"),
    path("commune/produits/<int:pk>/", town.product_page, name="product"),
    path("commune/produits/<int:pk>/mise-en-service/", going_live.going_live, name="going-live"),
]
