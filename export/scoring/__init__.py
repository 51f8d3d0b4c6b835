"""Batch scoring on Apache Beam: tables to pieces, and pieces to files of labelled rows."""
