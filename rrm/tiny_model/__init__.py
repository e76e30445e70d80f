"""A judge of one million parameters, made from a training's own rows, for demo and tests; never committed.

`make.make_tiny_model(folder, recipe)` is the one public function; `rrm tiny-model` calls it.
"""
