"""What a resident sees. The paths are fixed names (design §7)."""

from django.urls import path

from tenant_apps.portal.views import account, invoices, paying, signing_in, theme

app_name = "portal"
urlpatterns = [
    path("", signing_in.front_door, name="sign-in"),
    path("lien/", signing_in.link_page, name="link"),
    path("deconnexion/", signing_in.sign_out, name="sign-out"),
    path("activation/", signing_in.activation, name="activation"),
    path("mot-de-passe-oublie/", signing_in.forgotten_password, name="forgotten-password"),
    path("factures/", invoices.invoice_list, name="invoices"),
    path("factures/<uuid:public_id>/", invoices.invoice_page, name="invoice"),
    path("factures/<uuid:public_id>/pdf/", invoices.invoice_pdf, name="invoice-pdf"),
    path("factures/<uuid:public_id>/payer/", paying.pay, name="pay"),
    path("factures/<uuid:public_id>/retour/", paying.payment_return, name="payment-return"),
    path("factures/<uuid:public_id>/retour/etat/", paying.payment_state, name="payment-state"),
    path("factures/<uuid:public_id>/j-ai-regle/", invoices.declare_paid, name="declare-paid"),
    path("reglements/", invoices.payment_list, name="payments"),
    path("mes-informations/", account.my_details, name="my-details"),
    path("contact/", account.contact, name="contact"),
    path("contact/merci/", account.contact_sent, name="contact-sent"),
    path("theme.css", theme.theme, name="theme"),
]
