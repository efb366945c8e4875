"""Fake model servers: real HTTP on loopback that behaves as the providers do."""
