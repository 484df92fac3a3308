"""Certificates of signing SIMs and USB tokens: whose they are, whether they are good, whether they were taken back."""
