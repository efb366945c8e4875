"""Measurements of Swarm beside its peers and its floor. See README.md."""
