"""Tables in files of spreadsheet programs: CSV and XLSX, read and written row by row. No Django."""
