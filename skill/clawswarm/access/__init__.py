"""How faces reach the engine: in this process. (A daemon is a later release's.)"""
