"""What a training's folder says, gathered into one page for people and one document for programs.

`gather.gather` reads, `document.document_of` and `html.render` tell, `write.write_report` puts both on disk.
Nothing here needs verl, a GPU or the network; a run in progress is read like a finished one.
"""
