"""Lists as CSV and XLSX files, with the filters in view: columns by django-import-export, rows as a stream."""
