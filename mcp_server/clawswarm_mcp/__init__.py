"""The MCP face of Swarm: ten tools, resources and prompts over stdio and HTTP. Start it with: swarm mcp"""
