"""Batch scoring on Apache Beam: tables to pieces, pieces to files of labelled rows."""
