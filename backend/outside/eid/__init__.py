"""The national e-ID and its like: signing in there, and what comes back."""
