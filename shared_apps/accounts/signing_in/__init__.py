"""The ways to sign in beside a password: a mailed code, a passkey, OpenID Connect, a second factor."""
