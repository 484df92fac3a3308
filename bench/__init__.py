"""Measurements of the whole product on real sockets; `python -m bench NAME`, figures in README.md."""
