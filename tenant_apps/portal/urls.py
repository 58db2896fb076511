"""The residents' addresses. They never change: old messages and the towns' own sites link to them."""

from django.urls import path

from tenant_apps.portal.views import contact
from tenant_apps.portal.views.entry import mailed_code, openid, signing_in, signing_in_with_key
from tenant_apps.portal.views.invoices import exports, pages, paying, paying_several
from tenant_apps.portal.views.mine import access_requests, account, alerts, keys, my_data, sharing
from tenant_apps.portal.views.town import identity, information, language, theme

app_name = "portal"
urlpatterns = [
    path("", signing_in.front_door, name="sign-in"),
    path("lien/", signing_in.link_page, name="link"),
    path("connexion/cle/", signing_in_with_key.sign_in_with_key, name="sign-in-with-key"),
    path("connexion/cle/demande/", signing_in_with_key.ask_to_sign_in, name="ask-to-sign-in"),
    path("code/", mailed_code.ask_code, name="ask-code"),
    path("code/saisie/", mailed_code.type_code, name="type-code"),
    path("deconnexion/", signing_in.sign_out, name="sign-out"),
    path("connexion/fc/", openid.start, name="openid-start"),
    path("connexion/fc/retour/", openid.come_back, name="openid-return"),
    path("connexion/fc/relier/", openid.link, name="openid-link"),
    path("activation/", signing_in.activation, name="activation"),
    path("mot-de-passe-oublie/", signing_in.forgotten_password, name="forgotten-password"),
    path("factures/", pages.invoice_list, name="invoices"),
    path("factures/mes-factures.csv", exports.invoices_csv, name="invoices-csv"),
    path("factures/<int:year>/factures.zip", exports.year_archive, name="year-archive"),
    path("factures/<int:year>/<int:part>/factures.zip", exports.year_archive, name="year-archive-part"),
    path("factures/<uuid:public_id>/", pages.invoice_page, name="invoice"),
    path("factures/<uuid:public_id>/pdf/", pages.invoice_pdf, name="invoice-pdf"),
    path("factures/<uuid:public_id>/payer/", paying.pay, name="pay"),
    path("factures/<uuid:public_id>/retour/", paying.payment_return, name="payment-return"),
    path("factures/<uuid:public_id>/retour/etat/", paying.payment_state, name="payment-state"),
    path("factures/<uuid:public_id>/j-ai-regle/", pages.declare_paid, name="declare-paid"),
    path("reglements/", pages.payment_list, name="payments"),
    path("reglements/plusieurs/", paying_several.pay_several, name="pay-several"),
    path("reglements/<uuid:public_id>/justificatif.pdf", exports.payment_receipt, name="receipt"),
    path("mes-informations/", account.my_details, name="my-details"),
    path("mes-informations/mes-donnees/", my_data.my_data, name="my-data"),
    path("mes-informations/mes-donnees/telecharger/", my_data.take_my_data, name="take-my-data"),
    path("mes-informations/mes-donnees/effacement/", my_data.ask_erasure, name="erasure"),
    path("mes-informations/mes-donnees/effacement/annuler/", my_data.cancel_erasure, name="cancel-erasure"),
    path("mes-informations/deconnexion/", account.sign_out_everywhere, name="sign-out-everywhere"),
    path("mes-informations/cles/", keys.key_list, name="keys"),
    path("mes-informations/cles/demande/", keys.ask_to_add, name="ask-to-add-key"),
    path("mes-informations/cles/reconnexion/", keys.sign_in_again, name="sign-in-again"),
    path("mes-informations/cles/<uuid:public_id>/", keys.key_page, name="key"),
    path("mes-informations/cles/<uuid:public_id>/retrait/", keys.remove_key, name="remove-key"),
    path("mes-informations/connexion/", openid.my_openid, name="my-openid"),
    path("rattacher/", access_requests.request_access, name="claim"),
    path("rattacher/<uuid:public_id>/retirer/", access_requests.withdraw, name="withdraw-claim"),
    path("mes-informations/messages/", alerts.choices, name="alert-choices"),
    path("mes-informations/dossiers/<uuid:public_id>/", sharing.payer_page, name="payer"),
    path("desabonnement/<str:ticket>/", alerts.unsubscribe, name="unsubscribe"),
    path("contact/", contact.contact, name="contact"),
    path("contact/merci/", contact.contact_sent, name="contact-sent"),
    path("contact/messages/", contact.message_list, name="messages"),
    path("contact/messages/<uuid:public_id>/", contact.message_page, name="message"),
    path(
        "contact/messages/<uuid:public_id>/fichiers/<uuid:file_id>/",
        contact.message_file,
        name="message-file",
    ),
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
