"""The explorer: a page for people at every address, drawn in the browser from what the address answers."""
