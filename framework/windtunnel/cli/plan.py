"""``windtunnel plan``."""
