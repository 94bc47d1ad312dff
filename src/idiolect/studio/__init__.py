"""The local web page: what the command line does, seen. A file a page; they call what the command line calls."""
