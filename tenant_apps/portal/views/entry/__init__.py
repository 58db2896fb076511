"""The ways in: password, mailed code, passkey, OpenID, links."""
