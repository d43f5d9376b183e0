"""Labels of single files, and how accurate labels are."""
