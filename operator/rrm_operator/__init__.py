"""The operator: parse, observe, assess, plan, apply, report."""
