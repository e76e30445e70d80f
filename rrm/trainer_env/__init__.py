"""The trainer's environment (torch, verl, vLLM, Ray): where it lies, whether it is whole, and how it is made.

Public: `locate.find_environment` and the command `python -m rrm.trainer_env`. Standard library only, since it
runs in image builds before anything is installed.
"""
