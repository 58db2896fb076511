"""What a resident sees. The paths are fixed names (design §7)."""

from django.urls import path

from tenant_apps.portal.views import (
    account,
    contact,
    exports,
    identity,
    information,
    invoices,
    language,
    paying,
    paying_several,
    signing_in,
    theme,
)

app_name = "portal"
urlpatterns = [
    path("", signing_in.front_door, name="sign-in"),
    path("lien/", signing_in.link_page, name="link"),
    path("deconnexion/", signing_in.sign_out, name="sign-out"),
    path("activation/", signing_in.activation, name="activation"),
    path("mot-de-passe-oublie/", signing_in.forgotten_password, name="forgotten-password"),
    path("factures/", invoices.invoice_list, name="invoices"),
    path("factures/mes-factures.csv", exports.invoices_csv, name="invoices-csv"),
    path("factures/<int:year>/factures.zip", exports.year_archive, name="year-archive"),
    path("factures/<int:year>/<int:part>/factures.zip", exports.year_archive, name="year-archive-part"),
    path("factures/<uuid:public_id>/", invoices.invoice_page, name="invoice"),
    path("factures/<uuid:public_id>/pdf/", invoices.invoice_pdf, name="invoice-pdf"),
    path("factures/<uuid:public_id>/payer/", paying.pay, name="pay"),
    path("factures/<uuid:public_id>/retour/", paying.payment_return, name="payment-return"),
    path("factures/<uuid:public_id>/retour/etat/", paying.payment_state, name="payment-state"),
    path("factures/<uuid:public_id>/j-ai-regle/", invoices.declare_paid, name="declare-paid"),
    path("reglements/", invoices.payment_list, name="payments"),
    path("reglements/plusieurs/", paying_several.pay_several, name="pay-several"),
    path("reglements/<uuid:public_id>/justificatif.pdf", exports.payment_receipt, name="receipt"),
    path("mes-informations/", account.my_details, name="my-details"),
    path("mes-informations/deconnexion/", account.sign_out_everywhere, name="sign-out-everywhere"),
    path("contact/", contact.contact, name="contact"),
    path("contact/merci/", contact.contact_sent, name="contact-sent"),
    path("aide/", information.help_page, name="help"),
    path("plan-du-site/", information.site_map, name="site-map"),
    path("mentions-legales/", information.legal, name="legal"),
    path("donnees-personnelles/", information.privacy, name="privacy"),
    path("accessibilite/", information.accessibility, name="accessibility"),
    path("logo", identity.logo, name="logo"),
    path("icone", identity.icon, name="icon"),
    path("langue/", language.language, name="language"),
    path("theme.css", theme.theme, name="theme"),
]
