"""Trainings of a cluster as a person asks for them: how far they are, what they cost, and trying one again.

`reading.read_training` makes facts of a manifest; `document`, `words` and `retry` tell and decide, purely;
`api_server` alone talks to Kubernetes, with the client of the extra `kubernetes`.
"""
