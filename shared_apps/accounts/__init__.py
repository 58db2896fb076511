"""People who can sign in: residents, staff and operators; their passwords, links, passkeys and sessions."""
