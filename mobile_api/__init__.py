"""JSON for the app: the index of the API, nothing that decides (contract §3)."""
