"""`python -m clawswarm_mcp`: the server on standard input and output. `swarm mcp` does the same."""

from clawswarm_mcp.stdio import main

if __name__ == "__main__":
    main()
