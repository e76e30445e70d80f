"""Our classes around verl 0.4.0, which has hardly any extension point: put in by our task runner."""
