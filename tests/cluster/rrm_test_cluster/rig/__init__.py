"""What surrounds an operator under test: its process, a Ray job API and a trainer that answer by command.

Used by `tests/e2e/operator` and `tests/bench`; nothing in it belongs to the product.
"""
