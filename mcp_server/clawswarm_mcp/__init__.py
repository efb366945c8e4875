"""The MCP face of Swarm. The server itself is not part of this release: use the CLI or the Python API."""
