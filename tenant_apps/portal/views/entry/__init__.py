"""Ways to sign in: password, mailed code, passkey, OpenID, links."""
