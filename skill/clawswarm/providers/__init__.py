"""The model APIs: one adapter each, the HTTP client they share, and what is known about their models."""
