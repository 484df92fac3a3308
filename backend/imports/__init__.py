"""Files that offices send: CSV and workbooks, read into rows of text."""
