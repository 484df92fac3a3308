"""Signing in and registering: each way step by step, on the phone and in a browser."""
