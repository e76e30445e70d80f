"""Export: a whole checkpoint becomes a Hugging Face folder with a model card; `export.export` does it."""
