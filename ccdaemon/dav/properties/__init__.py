"""PROPFIND, PROPPATCH, MKCOL, and reports about people: what resources say of themselves."""
