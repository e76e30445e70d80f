"""Training: `python -m rrm.train` turns a run file and prepared rows into checkpoints, progress and a record.

`__main__` is a thin parent that answers even for a child that was killed; `child` starts verl with our hooks.
"""
