"""The demo: a real training on a real cluster, watched to its end and checked; node tests reuse its parts.

Order of the parts: `machine` (what must be here), `material` (rows and tiny model), `pictures` (images),
`install` (namespaces, keys, chart), `watch` (the training's life), `results` and `findings` (what came out).
`python -m rrm_test_cluster.demo run` puts them together.
"""
