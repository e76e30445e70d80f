"""Numbers about judgements that one can trust: metrics, floors that need no model, and lift over both."""
