"""Swarm under real MCP clients and the real OpenClaw: run by hand, no part of the quick suite."""
