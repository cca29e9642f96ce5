"""The vault: the only keeper of secrets. Key ring, sealed values, live access tokens, new consents."""
