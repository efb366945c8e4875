"""The command line: parse, call, print. No rule of the product lives here."""
