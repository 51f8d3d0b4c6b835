"""Batch scoring: tables to pieces, and pieces to files of labelled rows."""
