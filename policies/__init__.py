"""The policy pack: see `policies/__main__.py`."""
