"""Signing SIMs and USB tokens: registering, signing in and adding one by a certificate."""
