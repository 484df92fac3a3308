"""What people see of themselves and change: identity page, ways in, history, consents, all that is held."""
