"""Passwords: kept and compared, used to sign in, changed by their owner."""
