"""How prompts run: slots, rates, retries, breaker, budget, cache, and the pool that uses them."""
