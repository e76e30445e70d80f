"""From sources to prepared rows; `rrm.data.prepare.prepare` is the one entry."""
