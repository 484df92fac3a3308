"""JSON for the app: the index of the API, nothing that decides (rule 801)."""
